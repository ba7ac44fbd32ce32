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
