package walltest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/lambda/lambdatest"
)

// hostile are functions that want more than is theirs. None is to leave anything behind.
var hostile = []struct{ name, code string }{
	{"forks until it may not", `
import os, time
def h(e, c):
    for _ in range(60):
        if os.fork() == 0:
            time.sleep(1000)
    return 1`},
	{"leaves a child of a child", `
import os, time
def h(e, c):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
    return 1`},
	{"takes memory", `
import mmap
def h(e, c):
    m = mmap.mmap(-1, 400 << 20)
    for i in range(0, 400 << 20, 4096):
        m[i] = 1
    return 1`},
	{"fills the disk", `
def h(e, c):
    with open('/tmp/x', 'wb') as f:
        for _ in range(48):
            f.write(b'x' * (1 << 20))
    return 1`},
	{"keeps connections", `
import os, socket
from urllib.parse import urlparse
kept = []
def h(e, c):
    u = urlparse(os.environ.get('AWS_ENDPOINT_URL', 'http://127.0.0.1:1'))
    for _ in range(100):
        s = socket.socket()
        s.settimeout(0.1)
        try:
            s.connect((u.hostname, u.port))
            s.sendall(b'POST / HTTP/1.1\r\nHost: localhost\r\n')
            kept.append(s)
        except OSError:
            pass
    return len(kept)`},
	{"answers for others, with headers without end", `
import os, socket
def h(e, c):
    host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
    for path in ('other', '../..', c.aws_request_id):
        s = socket.create_connection((host, int(port)))
        s.sendall(b'POST /2018-06-01/runtime/invocation/' + path.encode() + b'/error HTTP/1.1\r\nHost: x\r\nX: ' + b'a' * 100000)
    return 1`},
	{"kills what it sees", `
import os, signal
def h(e, c):
    for pid in [1, -1, os.getppid()] + [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return 1`},
	{"ends in the midst", `
import os
def h(e, c):
    os._exit(3)`},
	{"prints without end", `
def h(e, c):
    for _ in range(2000):
        print('x' * 500)
    return 1`},
	{"writes where it may not", `
import os
def h(e, c):
    for path in ('/var/task/f.py', '/etc/passwd', '/proc/self/mem', '/proc/sys/kernel/core_pattern', '/sys/kernel/x', '/dev/sda'):
        try:
            os.open(path, os.O_WRONLY)
        except OSError:
            pass
    return 1`},
	{"does not come to an end", `
def h(e, c):
    while True:
        pass`},
}

// TestHostileFunctionsLeaveNothingBehind makes, invokes and deletes hostile functions in
// a row, and compares what the server has with what it had. PLUMB_HOSTILE=100 makes it short.
func TestHostileFunctionsLeaveNothingBehind(t *testing.T) {
	needReal(t)
	needPython(t)
	rounds := 1000
	if n, err := strconv.Atoi(os.Getenv("PLUMB_HOSTILE")); err == nil {
		rounds = n
	}
	p := serve(t, "mode: server\naccess-keys: [{id: AKIAALICE, secret: any, account: \"111111111111\"}]")
	c := awsclient.New(awsclient.Options{Region: "us-east-1", Endpoint: p.url, Credentials: awsclient.Static("AKIAALICE", "any", ""), Attempts: 1})
	do := func(service, operation string, in map[string]any) map[string]any {
		t.Helper()
		out, err := c.Call(t.Context(), service, operation, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	ends := map[string]int{}
	once := func(i int) {
		f := hostile[i%len(hostile)]
		name := fmt.Sprint("hostile", i)
		do("lambda", "CreateFunction", map[string]any{
			"FunctionName": name, "Role": "arn:aws:iam::111111111111:role/r", "Runtime": "python3.12", "Handler": "f.h", "Timeout": 2, "MemorySize": 128,
			"Code": map[string]any{"ZipFile": lambdatest.Zip(t, "f.py", []byte(fmt.Sprint(f.code, "\n# ", i, "\n")))},
		})
		out := do("lambda", "Invoke", map[string]any{"FunctionName": name, "Payload": []byte("{}")})
		ends[fmt.Sprint(f.name, ": ", out["FunctionError"])]++
		do("lambda", "DeleteFunction", map[string]any{"FunctionName": name})
		if _, err := c.Call(t.Context(), "logs", "DeleteLogGroup", map[string]any{"logGroupName": "/aws/lambda/" + name}); awsclient.Code(err) != "ResourceNotFoundException" && err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 * len(hostile) { // what a server needs that has run functions
		once(i)
	}
	before := p.measured()
	for i := range rounds {
		once(i)
	}
	after := p.measured()
	p.healthy()
	t.Logf("%d functions; before %+v; after %+v; %v", rounds, before, after, ends)
	if after.Resident-before.Resident > maxGrowth || after.Descriptors > before.Descriptors+20 || after.Children > before.Children+2 ||
		after.Disk > before.Disk+1<<20 || after.Temporary > before.Temporary {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// What a server has, in bytes and numbers.
type measured struct {
	Resident, Disk                   int64
	Descriptors, Children, Temporary int
}

// measured waits until nothing of the functions runs, at most a minute.
func (p *process) measured() measured {
	for until := time.Now().Add(time.Minute); p.children() > 1 && time.Now().Before(until); {
		time.Sleep(200 * time.Millisecond)
	}
	entries, err := os.ReadDir(p.tmp)
	if err != nil {
		p.t.Fatal(err)
	}
	return measured{p.resident(), p.disk(), p.descriptors(), p.children(), len(entries)}
}
