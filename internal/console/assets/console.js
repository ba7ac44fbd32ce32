// Keys and live pages. All pages work without this file.
(() => {
  'use strict';
  const typing = (e) => e.target.closest('input, textarea, select, dialog') && !(e.target.type === 'checkbox');
  const rows = () => [...document.querySelectorAll('[data-row]')].filter((r) => r.offsetParent !== null);
  const current = () => document.querySelector('.at-key');

  function go(step) {
    const all = rows();
    if (!all.length) return;
    const was = current();
    let next = all[Math.max(0, Math.min(all.length - 1, (was ? all.indexOf(was) : step > 0 ? -1 : all.length) + step))];
    if (was) was.classList.remove('at-key');
    next.classList.add('at-key');
    const link = next.querySelector('a') || next.querySelector('summary, input');
    if (link) link.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
    if (next === all[all.length - 1] && step > 0) { const more = document.querySelector('a[data-more]'); if (more && window.htmx) more.click(); }
  }
  function follow(selector) { const a = document.querySelector(selector); if (a) a.click(); }

  let escaped = false;
  document.addEventListener('keydown', (e) => {
    if ((e.ctrlKey || e.metaKey) && e.key === 's') {
      const save = document.querySelector('button[data-save]');
      if (save) { e.preventDefault(); save.click(); }
      return;
    }
    if (e.key === 'Tab' && !e.shiftKey && e.target.matches?.('textarea[data-code]') && !escaped) {
      e.preventDefault(); // escape, then tab leaves the field
      e.target.setRangeText('  ', e.target.selectionStart, e.target.selectionEnd, 'end');
      return;
    }
    escaped = e.key === 'Escape';
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'Escape' && typing(e)) { e.target.blur(); return; }
    if (typing(e)) return;
    const keys = {
      '/': () => document.getElementById('find')?.select(),
      t: () => document.getElementById('at')?.focus(),
      j: () => go(1), k: () => go(-1),
      x: () => { const box = current()?.querySelector('input[type=checkbox]'); if (box) box.click(); },
      '[': () => follow('a[rel=prev]'), ']': () => follow('a[rel=next]'), d: () => follow('a[data-key=d]'),
      '?': () => document.getElementById('keys')?.showModal(),
    };
    const f = keys[e.key];
    if (f) { e.preventDefault(); f(); }
  });

  // The button of a form that needs picked rows says how many they are.
  function count() {
    document.querySelectorAll('form[data-picks]').forEach((form) => {
      const n = form.querySelectorAll('input[type=checkbox]:checked').length;
      form.querySelectorAll('[data-picked]').forEach((s) => { s.textContent = n ? n + ' picked' : 'nothing picked'; });
    });
  }
  document.addEventListener('change', count);

  // A query's field offers what may follow while it is written. The arrows choose, enter or tab takes, escape leaves.
  const field = document.querySelector('textarea[data-complete]');
  if (field) {
    const offered = document.getElementById('completions'), told = document.getElementById('completed');
    let waits, asked = 0, word = '', at = -1;
    const choose = (i) => {
      at = i;
      [...offered.children].forEach((o, n) => o.setAttribute('aria-selected', String(n === i)));
      if (i < 0) { field.removeAttribute('aria-activedescendant'); return; }
      field.setAttribute('aria-activedescendant', offered.children[i].id);
      offered.children[i].scrollIntoView({ block: 'nearest' });
    };
    const show = (words) => {
      offered.replaceChildren(...words.map((w, i) => Object.assign(document.createElement('li'), { textContent: w, id: 'completion-' + i })));
      [...offered.children].forEach((o) => o.setAttribute('role', 'option'));
      offered.hidden = !words.length;
      told.textContent = words.length ? words.length + ' to choose from with the arrows' : '';
      choose(-1);
    };
    const take = (i) => {
      const end = field.selectionStart;
      field.setRangeText(offered.children[i].textContent, end - word.length, end, 'end');
      show([]);
    };
    const ask = async () => {
      const turn = ++asked, end = field.selectionStart;
      const to = new URL(field.dataset.complete, location.href);
      to.search = new URLSearchParams({ format: 'json', before: field.value.slice(0, end), rest: field.value.slice(end) });
      const answer = await fetch(to, { headers: { Accept: 'application/json' } });
      if (turn !== asked || !answer.ok || end !== field.selectionStart) return;
      const got = await answer.json();
      word = got.word;
      show(got.words);
    };
    field.addEventListener('input', () => { clearTimeout(waits); waits = setTimeout(() => ask().catch(() => show([])), 120); });
    field.addEventListener('blur', () => show([]));
    offered.addEventListener('mousedown', (e) => {
      const i = [...offered.children].indexOf(e.target);
      if (i >= 0) { e.preventDefault(); take(i); }
    });
    field.addEventListener('keydown', (e) => {
      const n = offered.children.length;
      if (!n) return;
      const keys = {
        ArrowDown: () => choose((at + 1) % n), ArrowUp: () => choose(at > 0 ? at - 1 : n - 1), Escape: () => show([]),
        Enter: () => take(at), Tab: () => take(Math.max(at, 0)),
      };
      if (!keys[e.key] || e.key === 'Enter' && at < 0) return;
      e.preventDefault();
      e.stopPropagation();
      keys[e.key]();
    });
  }

  // Buttons that copy.
  document.addEventListener('click', (e) => {
    const b = e.target.closest('[data-copy]');
    if (!b) return;
    const text = document.getElementById(b.dataset.copy);
    navigator.clipboard?.writeText(text.value ?? text.textContent).then(() => { b.textContent = 'Copied'; });
  });

  // A live page loads its list anew when the server says that something happened.
  const live = document.body.dataset.live;
  if (live && window.EventSource) {
    const events = new EventSource(live);
    let pending;
    events.addEventListener('changed', () => {
      clearTimeout(pending);
      pending = setTimeout(() => {
        const part = document.getElementById('live');
        if (part && !part.querySelector('details[open]') && window.htmx) window.htmx.ajax('GET', document.body.dataset.livePage || location.href, { target: '#live', select: '#live', swap: 'outerHTML' });
      }, 300);
    });
    window.addEventListener('pagehide', () => events.close());
  }
  count();
})();
