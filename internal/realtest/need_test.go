package realtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumb/internal/lambda/lambdatest"
	"plumb/internal/sandbox"
)

// Where to find what cannot be part of this repository.
const (
	rulesVariable  = "PLUMB_RULES_CHECKOUT"  // awslabs/aws-config-rules
	rdklibVariable = "PLUMB_RDKLIB_CHECKOUT" // awslabs/aws-config-rdklib
)

// needCheckout returns the folder that a variable names.
func needCheckout(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("%s is not set: see docs/how-to/run-public-rules.md", variable)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return dir
}

// longVariable has the tests run that take minutes together; .ci/run sets it.
const longVariable = "PLUMB_TEST_REAL"

func needTool(t *testing.T, names ...string) {
	t.Helper()
	if os.Getenv(longVariable) == "" {
		t.Skipf("%s is not set: with it, tests that take minutes run", longVariable)
	}
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}

func needBoto3(t *testing.T) {
	t.Helper()
	needTool(t)
	lambdatest.NeedBoto3(t)
}

// needNodeSDK skips where functions will find no aws-sdk of version 2.
func needNodeSDK(t *testing.T) {
	t.Helper()
	needNodeModule(t, "aws-sdk")
}

// needNodeModule returns the folder of modules that has one.
func needNodeModule(t *testing.T, name string) (modules string) {
	t.Helper()
	needTool(t, "node")
	dir := os.Getenv("PLUMB_NODE_PATH")
	if dir == "" {
		out, _ := exec.Command("npm", "root", "--global").Output()
		dir = strings.TrimSpace(string(out))
	}
	if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
		t.Skipf("%s is not installed for Node.js: see docs/how-to/run-public-rules.md", name)
	}
	return dir
}

// startMoto starts an AWS-compatible server that we did not write.
func startMoto(t *testing.T) string {
	t.Helper()
	needTool(t, "moto_server")
	needBoto3(t)
	port := freePort(t)
	cmd := exec.Command("moto_server", "-p", fmt.Sprint(port))
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Running on") {
			go func() {
				for lines.Scan() { // its log must not fill the pipe
				}
			}()
			return fmt.Sprintf("http://127.0.0.1:%d", port)
		}
	}
	t.Fatal("moto_server did not start")
	return ""
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// boto3 runs one of our scripts against an endpoint and returns the names that
// it prints.
func boto3(t *testing.T, script, endpoint string, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("python3", append([]string{filepath.Join("testdata", script), endpoint}, args...)...)
	cmd.Env = clientEnv(endpoint)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	var names map[string]string
	if err := json.Unmarshal(out, &names); err != nil {
		t.Fatalf("%s: %v in %s", script, err, out)
	}
	return names
}

// clientEnv is the environment of an AWS client: nothing of the person's own.
func clientEnv(endpoint string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "AWS_") })
	return append(env,
		"AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID=123456789012", "AWS_SECRET_ACCESS_KEY=any",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	)
}

// Functions begin as copies of the program that runs them, here the test.
func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}
