"""Notes which lines of a function's own files run, and which ways its branches
take. Only a test that asks for coverage has it."""
import ast
import json
import os
import sys
import tempfile
import threading


class Tracer:
    def __init__(self, root):
        self.root = os.path.join(root, '')
        self.arcs = {}  # by file: the lines that followed each other; -1 is the end of a call

    def start(self):
        threading.settrace(self.trace)
        sys.settrace(self.trace)

    def trace(self, frame, event, arg):
        name = frame.f_code.co_filename
        if not name.startswith(self.root):
            return None
        arcs = self.arcs.setdefault(name, set())
        last = -1

        def local(frame, event, arg):
            nonlocal last
            if event == 'line':
                arcs.add((last, frame.f_lineno))
                last = frame.f_lineno
            elif event == 'return':
                arcs.add((last, -1))
            return local

        return local

    def write(self):
        """Writes what was noted so far, whole or not at all."""
        folder = os.path.join(tempfile.gettempdir(), 'plumb-coverage', os.environ['AWS_LAMBDA_FUNCTION_NAME'])
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, 'python-%d.json' % os.getpid())
        with open(path + '.part', 'w') as f:
            json.dump({name[len(self.root):]: self.file(name, arcs) for name, arcs in list(self.arcs.items())}, f)
        os.replace(path + '.part', path)

    def file(self, name, arcs):
        with open(name, 'rb') as f:
            source = f.read()
        hit = {to for _, to in arcs}
        return {
            'lines': {line: line in hit for line in lines(compile(source, name, 'exec'))},
            'branches': branches(ast.parse(source), arcs),
        }


def lines(code):
    """The lines on which a statement of the code begins."""
    import dis

    found = {line for _, line in dis.findlinestarts(code) if line}
    for constant in code.co_consts:
        if hasattr(constant, 'co_code'):
            found |= lines(constant)
    return found


def branches(tree, arcs):
    """For each branch its line, and whether its body was entered, and left out."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.If, ast.While, ast.For, ast.AsyncFor)):
            continue
        test = getattr(node, 'test', None) or node.iter
        if isinstance(test, ast.Constant) or node.body[0].lineno <= test.end_lineno:
            continue  # it has one way, or both on one line
        at = range(node.lineno, test.end_lineno + 1)
        after = {to for start, to in arcs if start in at and to not in at}
        body = node.body[0].lineno
        found.append([node.lineno, body in after, bool(after - {body})])
    return sorted(found)
