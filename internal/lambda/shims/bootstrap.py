"""Runs a Python function: asks the platform for the next event, calls the
handler, posts what it returned or raised. It behaves as AWS's runtime does, down
to the texts of its errors, and uses nothing but the standard library.
"""
import decimal
import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

ME = os.path.abspath(__file__)
VERSION = 'python%d.%d' % sys.version_info[:2]


class Platform:
    """The Runtime API, over one connection that stays open.

    The platform's answers all have a Content-Length, so this small client does
    what http.client would in a third of the time.
    """

    def __init__(self, address):
        self.host, _, port = address.rpartition(':')
        self.port = int(port)
        self.address = address
        self.sock = None

    def call(self, method, path, body=b'', headers=()):
        lines = ['%s /2018-06-01/runtime%s HTTP/1.1' % (method, path), 'Host: ' + self.address]
        lines += ['%s: %s' % h for h in headers]
        if method == 'POST':
            lines.append('Content-Length: %d' % len(body))
        request = ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1', 'replace') + body
        for attempt in (1, 2):
            try:
                if self.sock is None:
                    self.sock = socket.create_connection((self.host, self.port))
                    self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock.sendall(request)
                return self.answer()
            except (ConnectionError, EOFError):
                self.sock.close()
                self.sock = None
                if attempt == 2:
                    raise

    def answer(self):
        data = bytearray()
        while True:
            end = data.find(b'\r\n\r\n')
            if end >= 0:
                break
            data += self.more()
        headers = {}
        for line in bytes(data[:end]).decode('latin-1').split('\r\n')[1:]:
            name, _, value = line.partition(':')
            headers[name.lower()] = value.strip()
        del data[:end + 4]
        length = int(headers.get('content-length', 0))
        while len(data) < length:
            data += self.more()
        return headers, bytes(data)

    def more(self):
        part = self.sock.recv(65536)
        if not part:
            raise EOFError('the platform closed the connection')
        return part


class Fault(Exception):
    """An error of the runtime itself, with the name that AWS gives it."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, list(trace)


def error_object(error, request_id):
    if isinstance(error, Fault):
        return {'errorMessage': error.message, 'errorType': error.kind, 'requestId': request_id, 'stackTrace': error.trace}
    frames = traceback.extract_tb(error.__traceback__)
    while frames and (os.path.abspath(frames[0].filename) == ME or 'importlib' in frames[0].filename):
        frames.pop(0)
    return {
        'errorMessage': str(error),
        'errorType': type(error).__name__,
        'requestId': request_id,
        'stackTrace': traceback.format_list(frames),
    }


class Log(logging.Handler):
    """The root logger's handler. It writes to standard output, which the platform
    reads, in the form that the function asked for."""

    request_id = ''

    def __init__(self, as_json):
        super().__init__()
        self.as_json = as_json

    def stamp(self, when, fraction=True):
        text = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(when))
        return text + ('.%03dZ' % int(when % 1 * 1000) if fraction else 'Z')

    def emit(self, record):
        try:
            if self.as_json:
                text = self.json_line(record)
            else:
                text = '[%s]\t%s\t%s\t%s' % (record.levelname, self.stamp(record.created), self.request_id, self.format(record))
            sys.stdout.write(text + '\n')
            sys.stdout.flush()
        except Exception:
            self.handleError(record)

    def json_line(self, record):
        line = {
            'timestamp': self.stamp(record.created, False),
            'level': record.levelname,
            'message': record.getMessage(),
            'logger': record.name,
        }
        if self.request_id:
            line['requestId'] = self.request_id
        if record.exc_info:
            kind, value, trace = record.exc_info
            frames = traceback.extract_tb(trace)
            line['errorType'] = kind.__name__
            line['errorMessage'] = str(value)
            line['stackTrace'] = traceback.format_list(frames)
            if frames:
                line['location'] = '%s:%s:%d' % (frames[-1].filename, frames[-1].name, frames[-1].lineno)
        return json.dumps(line, default=str)

    def error(self, fault):
        if self.as_json:
            line = {'timestamp': self.stamp(time.time(), False), 'log_level': 'ERROR'}
            line.update({k: v for k, v in fault.items() if v})
            text = json.dumps(line)
        else:
            # A carriage return keeps the lines one event; spaces at the
            # beginning of a line would be lost.
            lines = ['[ERROR] %s: %s' % (fault['errorType'], fault['errorMessage']), 'Traceback (most recent call last):']
            for frame in fault['stackTrace']:
                for line in frame.splitlines():
                    bare = line.lstrip(' ')
                    lines.append('\u00a0' * (len(line) - len(bare)) + bare)
            text = '\r'.join(lines)
        sys.stdout.write(text + '\n')
        sys.stdout.flush()

    def likely_cause(self):
        if not self.as_json:
            sys.stdout.write(
                '[WARNING]\t%s\t\tLAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. '
                'However, in rare cases, a Lambda runtime update can cause unexpected function behavior.\n' % self.stamp(time.time()))


def load(handler):
    try:
        module, name = handler.rsplit('.', 1)
    except ValueError as e:
        raise Fault('Runtime.MalformedHandlerName', "Bad handler '%s': %s" % (handler, e))
    if module.split('.')[0] in sys.builtin_module_names:
        raise Fault('Runtime.BuiltInModuleConflict', 'Cannot use built-in module %s as a handler module' % module)
    try:
        m = importlib.import_module(module.replace('/', '.'))
    except ImportError as e:
        raise Fault('Runtime.ImportModuleError', "Unable to import module '%s': %s" % (module, e))
    except SyntaxError as e:
        where = '  File "%s" Line %s\n    %s' % (e.filename, e.lineno, (e.text or '').strip())
        raise Fault('Runtime.UserCodeSyntaxError', "Syntax error in module '%s': %s" % (module, e), [where])
    try:
        return getattr(m, name)
    except AttributeError:
        raise Fault('Runtime.HandlerNotFound', "Handler '%s' missing on module '%s'" % (name, module))


class Members:
    """An object with the given members, and None for others that it promises."""

    def __init__(self, promised, values):
        for name in promised:
            setattr(self, name, None)
        for name, value in (values or {}).items():
            setattr(self, name, value)

    def __repr__(self):
        return '%s(%s)' % (type(self).__name__, self.__dict__)


class ClientContext(Members):
    pass


class CognitoIdentity(Members):
    pass


class LambdaContext:
    def __init__(self, headers):
        env = os.environ.get
        self.aws_request_id = headers['lambda-runtime-aws-request-id']
        self.invoked_function_arn = headers['lambda-runtime-invoked-function-arn']
        self.tenant_id = headers.get('lambda-runtime-aws-tenant-id')
        self.function_name = env('AWS_LAMBDA_FUNCTION_NAME')
        self.function_version = env('AWS_LAMBDA_FUNCTION_VERSION')
        self.memory_limit_in_mb = env('AWS_LAMBDA_FUNCTION_MEMORY_SIZE')
        self.log_group_name = env('AWS_LAMBDA_LOG_GROUP_NAME')
        self.log_stream_name = env('AWS_LAMBDA_LOG_STREAM_NAME')
        self._deadline = int(headers['lambda-runtime-deadline-ms'])
        self.client_context = self._client(headers.get('lambda-runtime-client-context'))
        who = json.loads(headers.get('lambda-runtime-cognito-identity') or '{}')
        self.identity = CognitoIdentity((), {
            'cognito_identity_id': who.get('cognitoIdentityId'),
            'cognito_identity_pool_id': who.get('cognitoIdentityPoolId'),
        })

    @staticmethod
    def _client(text):
        if not text:
            return None
        given = json.loads(text)
        client = Members(('installation_id', 'app_title', 'app_version_name', 'app_version_code', 'app_package_name'), given.get('client'))
        return ClientContext((), {'client': client, 'custom': given.get('custom'), 'env': given.get('env')})

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))
        sys.stdout.flush()

    def __repr__(self):
        return 'LambdaContext(%s)' % {k: v for k, v in self.__dict__.items() if k[0] != '_'}


def plain(value):
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError('Object of type %s is not JSON serializable' % type(value).__name__)


def marshal(result):
    if isinstance(result, bytes):
        return result, 'application/unknown'
    try:
        text = json.dumps(result, default=plain, ensure_ascii=sys.version_info < (3, 12))
        return text.encode(), 'application/json'
    except Exception as e:
        raise Fault('Runtime.MarshalError', 'Unable to marshal response: %s' % e)


def run(handler, headers, body):
    try:
        event = json.loads(body.decode())
    except Exception as e:
        raise Fault('Runtime.UnmarshalError', 'Unable to unmarshal input: %s' % e)
    return marshal(handler(event, LambdaContext(headers)))


def post_error(platform, path, fault):
    platform.call('POST', path, json.dumps(fault).encode(), [
        ('Content-Type', 'application/json'),
        ('Lambda-Runtime-Function-Error-Type', fault['errorType']),
    ])


def serve(platform, handler, log, coverage, worker):
    while True:
        if worker:
            worker.report()
        headers, body = platform.call('GET', '/invocation/next')
        if worker and 'plumb-reload' in headers:
            worker.again(body)
        log.request_id = request_id = headers['lambda-runtime-aws-request-id']
        trace = headers.get('lambda-runtime-trace-id')
        if trace:
            os.environ['_X_AMZN_TRACE_ID'] = trace
        else:
            os.environ.pop('_X_AMZN_TRACE_ID', None)
        try:
            try:
                result, kind = run(handler, headers, body)
            finally:
                coverage()
        except Exception as e:
            fault = error_object(e, request_id)
            log.error(fault)
            post_error(platform, '/invocation/%s/error' % request_id, fault)
        else:
            platform.call('POST', '/invocation/%s/response' % request_id, result, [('Content-Type', kind)])


def measure(task):
    """Begins to note what runs, if a test asks for it, and returns what writes it."""
    if not os.environ.get('PLUMB_COVERAGE'):
        return lambda: None
    import plumb_coverage
    tracer = plumb_coverage.Tracer(task)
    tracer.start()

    def write():
        try:
            tracer.write()
        except Exception as e:  # no fault of the function
            sys.stdout.write('coverage was not written: %r\n' % e)

    return write


def main():
    task = os.environ['LAMBDA_TASK_ROOT']
    opt = os.environ.get('PLUMB_OPT', '/opt')
    runtime = os.environ['LAMBDA_RUNTIME_DIR']
    # This file's own folder is first in the path; the function's takes its place.
    sys.path[0:1] = [task, opt + '/python/lib/' + VERSION + '/site-packages', opt + '/python', runtime]
    sys.path.extend(p for p in os.environ.get('PLUMB_PYTHON_PATH', '').split(os.pathsep) if p and p not in sys.path)
    import plumb_endpoint
    plumb_endpoint.install()

    worker = None
    if os.environ.get('PLUMB_RELOAD'):
        import plumb_reload
        worker = plumb_reload.supervise(task, Platform(os.environ['AWS_LAMBDA_RUNTIME_API']))
    platform = Platform(os.environ['AWS_LAMBDA_RUNTIME_API'])
    log = Log(os.environ.get('AWS_LAMBDA_LOG_FORMAT') == 'JSON')
    root = logging.getLogger()
    root.addHandler(log)
    level = os.environ.get('AWS_LAMBDA_LOG_LEVEL')
    if level:
        root.setLevel({'TRACE': 'DEBUG', 'WARN': 'WARNING', 'FATAL': 'CRITICAL'}.get(level, level))
    coverage = measure(task)
    try:
        handler = load(os.environ['_HANDLER'])
    except Exception as e:
        fault = error_object(e, '')
        log.likely_cause()
        log.error(fault)
        if worker:
            worker.failed()
        post_error(platform, '/init/error', fault)
        sys.exit(1)
    if worker:
        worker.loaded()
    serve(platform, handler, log, coverage, worker)


if __name__ == '__main__':
    main()
