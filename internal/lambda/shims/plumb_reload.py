"""Keeps Python warm for a function that is being written.

The process that the platform started runs no code of the function. It forks a
worker, which loads the function and asks for events, and imports what the worker
imported from elsewhere than the function's own folder. When the code has changed
the worker ends and the next one is forked: all of the function's modules are
new, what it depends on is there already, and nothing of the old worker is left.

Where a start without what was imported beforehand could differ, that is what
happens: the process executes itself anew, or ends and the platform starts
another.
"""
import importlib
import json
import os
import select
import signal
import sys
import threading

PLAIN = 'plain'  # PLUMB_RELOAD of a process that imports nothing beforehand
stock = {}  # data files of botocore, parsed: each is used once
parsed = []  # names of those that this process used


def stock_up(loaders):
    """Has botocore take data files from the stock."""
    load = loaders.JSONFileLoader.load_file

    def load_file(self, path):
        if path in stock:
            parsed.append(path)
            return stock.pop(path)
        data = load(self, path)
        if data is not None:
            parsed.append(path)
        return data

    loaders.JSONFileLoader.load_file = load_file


def files_of(module):
    origin = getattr(getattr(module, '__spec__', None), 'origin', None)
    return origin if origin and os.path.isabs(origin) else None


def stamp(path):
    try:
        s = os.stat(path)
    except OSError:
        return None
    return s.st_mtime_ns, s.st_size


def top_names(folder):
    try:
        return {name.split('.')[0] for name in os.listdir(folder)}
    except OSError:
        return set()


class Worker:
    """The side of the process that runs the function."""

    def __init__(self, task, pipe, warm):
        self.task, self.pipe, self.warm = task, pipe, warm
        os.environ.pop('PLUMB_RELOAD', None)
        importlib.invalidate_caches()
        self.environ = dict(os.environ)
        self.told, self.certain = 0, True

    def tell(self, **message):
        data = json.dumps(message).encode() + b'\n'
        while data:
            data = data[os.write(self.pipe, data):]

    def own(self, path):
        return path == self.task or path.startswith(self.task + os.sep)

    def loaded(self):
        """Ends this worker if what was imported beforehand could matter."""
        self.certain = dict(os.environ) == self.environ
        if self.warm:
            tops = {name.split('.')[0] for name in self.warm}
            shadows = any(tops & top_names(p) for p in sys.path if self.own(os.path.abspath(p)))
            if shadows or not self.certain:
                self.tell(doubt=True)
                os._exit(0)
        self.report()

    def report(self):
        """Tells what the function has imported, if that became more."""
        now = len(sys.modules) + len(parsed)
        if now == self.told or not self.certain:
            return
        self.told = now
        names = []
        for name, module in list(sys.modules.items()):
            path = files_of(module)
            if path and module.__spec__.name == name and not self.own(path):
                names.append(name)
        self.tell(modules=names, data=[p for p in parsed if not self.own(p)])

    def failed(self):
        self.tell(failed=True)

    def again(self, order):
        self.tell(again=json.loads(order.decode()))
        sys.stdout.flush()
        os._exit(0)


class Supervisor:
    """The side that the platform started."""

    def __init__(self, task, platform):
        self.task, self.platform = task, platform
        self.base = set(sys.modules)
        self.stamps = {}
        self.plain = os.environ['PLUMB_RELOAD'] == PLAIN

    def run(self):
        """Returns in each worker, and nowhere else."""
        wake, self.wakened = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self.wakened, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakened)
        while True:
            self.refresh()
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for fd in (read, wake, self.wakened):
                    os.close(fd)
                return Worker(self.task, write, set(sys.modules) - self.base)
            os.close(write)
            order = self.follow(pid, read, wake)
            os.close(read)
            address = os.environ['AWS_LAMBDA_RUNTIME_API']
            os.environ.clear()
            os.environ.update(order['env'], AWS_LAMBDA_RUNTIME_API=address)
            os.environ['PLUMB_RELOAD'] = PLAIN if self.plain else '1'

    def follow(self, pid, read, wake):
        """Waits for the worker's end and returns the order for the next one."""
        data, order, failed, status = b'', None, False, None
        while status is None:
            ready, _, _ = select.select([read, wake] if read is not None else [wake], [], [])
            if wake in ready:
                os.read(wake, 4096)
            ended, how = os.waitpid(pid, os.WNOHANG)
            if ended:
                status = how
            if status is not None:
                os.set_blocking(read, False)
            try:
                data += os.read(read, 1 << 20) if read in ready or status is not None else b''
            except BlockingIOError:
                pass
            *lines, data = data.split(b'\n')
            for line in lines:
                message = json.loads(line.decode())
                if 'doubt' in message:
                    self.start_over(PLAIN)
                if 'modules' in message:
                    self.prepare(message)
                order = message.get('again', order)
                failed = failed or 'failed' in message
        try:
            os.waitpid(-1, os.WNOHANG)
            os._exit(0)  # it left processes behind
        except ChildProcessError:
            pass
        if failed and order is None:
            _, body = self.platform.call('GET', '/plumb/reload')
            order = json.loads(body.decode())
        if order is None:
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        return order

    def prepare(self, message):
        """Imports what a worker has imported, from where it would be found if the
        function had no folder."""
        if self.plain:
            return
        path, sys.path = sys.path, [p for p in sys.path if os.path.abspath(p) != self.task]
        try:
            for name in message['modules']:
                if name not in sys.modules:
                    importlib.import_module(name)
            loaders = sys.modules.get('botocore.loaders')
            for file in message['data'] if loaders else ():
                if file not in stock:
                    data = loaders.JSONFileLoader().load_file(file)
                    if data is not None:
                        stock[file] = data
            parsed.clear()
        except BaseException:
            self.plain = True
        sys.path = path
        try:
            threads = len(os.listdir('/proc/self/task'))
        except OSError:
            threads = threading.active_count()
        self.plain = self.plain or threads > 1
        for name in set(sys.modules) - self.base:
            file = files_of(sys.modules[name])
            if file:
                self.stamps.setdefault(file, stamp(file))
        for file in stock:
            for known in (file + '.json', file + '.json.gz'):
                self.stamps.setdefault(known, stamp(known))

    def refresh(self):
        """Begins anew if what was imported is not what a new process would
        import."""
        if self.plain and os.environ['PLUMB_RELOAD'] != PLAIN:
            self.start_over(PLAIN)
        if any(stamp(file) != was for file, was in self.stamps.items()):
            self.start_over('1')

    def start_over(self, how):
        os.environ['PLUMB_RELOAD'] = how
        os.execv(sys.executable, [sys.executable, '-u', sys.argv[0]])


def supervise(task, platform):
    return Supervisor(task, platform).run()
