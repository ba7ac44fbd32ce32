"""Makes every botocore follow AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>.

Versions before 1.31 do not read them at all, and some code names AWS's own
endpoints itself. Both come to the endpoint that the variables give. Functions
that never import botocore pay nothing.
"""
import os
import sys
from urllib.parse import urlsplit

HOOKED = 'botocore.session'


def target(service_id):
    """The endpoint that the environment names for a service, or None."""
    name = service_id.replace(' ', '_').replace('-', '_').upper()
    return os.environ.get('AWS_ENDPOINT_URL_' + name) or os.environ.get('AWS_ENDPOINT_URL')


def is_aws(url):
    host = urlsplit(url).hostname or ''
    return host.endswith('.amazonaws.com') or host.endswith('.amazonaws.com.cn') or host.endswith('.api.aws')


def undo_prefixes():
    """Lets a name in front of the endpoint's host lead to the endpoint.

    Clients of some services put an account or a word there, which cannot be
    resolved in front of an address.
    """
    import socket
    lookup = socket.getaddrinfo
    own = {urlsplit(v).hostname for k, v in os.environ.items() if k.startswith('AWS_ENDPOINT_URL') and v}

    def getaddrinfo(host, *args, **kwargs):
        if isinstance(host, str):
            for name in own:
                if name and host.endswith(('.' + name, '-' + name)):
                    host = name
        return lookup(host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def patch(module):
    undo_prefixes()
    original = module.Session.create_client
    position = 5  # of endpoint_url among create_client's arguments after service_name

    def create_client(self, service_name, *args, **kwargs):
        ignore = os.environ.get('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', '').lower() == 'true'
        given = args[position - 1] if len(args) >= position else kwargs.get('endpoint_url')
        if not ignore and (given is None or is_aws(given)):
            url = target(self.get_service_model(service_name).service_id)
            if url and len(args) >= position:
                args = args[:position - 1] + (url,) + args[position:]
            elif url:
                kwargs['endpoint_url'] = url
        return original(self, service_name, *args, **kwargs)

    module.Session.create_client = create_client
    reload = sys.modules.get('plumb_reload')
    if reload:
        reload.stock_up(sys.modules['botocore.loaders'])


class Finder:
    """Waits for botocore.session to be imported, and patches it then."""

    plumb = True

    def find_spec(self, name, path=None, target=None):
        if name != HOOKED:
            return None
        import importlib.util
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            patch(module)

        spec.loader.exec_module = exec_module
        return spec


def install():
    if HOOKED not in sys.modules and not any(getattr(f, 'plumb', False) for f in sys.meta_path):
        sys.meta_path.insert(0, Finder())
