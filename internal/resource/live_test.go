package resource_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/resource"
	"plumb/models"
	"plumb/resources"
)

// moto is an AWS-compatible server that we did not write. The test wants it, Python and boto3.
func moto(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"moto_server", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := exec.CommandContext(t.Context(), "moto_server", "-p", fmt.Sprint(port))
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
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
	t.Skip("moto_server did not start")
	return ""
}

func TestDiscoverReadsALiveEndpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	endpoint := moto(t)
	out, err := exec.CommandContext(t.Context(), "python3", "testdata/cloud.py", endpoint).Output()
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ VPC, Group, Instance string }
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatal(err)
	}
	l := live{t, awsclient.New(awsclient.Options{
		Endpoint: endpoint, Region: "us-east-1", Credentials: awsclient.Static("123456789012", "test", ""),
	})}

	for typ, want := range map[string]int{
		"AWS::EC2::Instance": 2, "AWS::EC2::Volume": 2, "AWS::EC2::NetworkInterface": 2,
		"AWS::S3::Bucket": 1, "AWS::IAM::User": 1, "AWS::IAM::Role": 1, "AWS::IAM::Group": 1,
		"AWS::SNS::Topic": 105, "AWS::DynamoDB::Table": 105, "AWS::SQS::Queue": 1, "AWS::Lambda::Function": 0,
	} {
		if got := l.discover(typ); len(got) != want {
			t.Errorf("%d of %s, want %d", len(got), typ, want)
		}
	}
	l.groupHasNoWayOut(made.Group, made.VPC)
	l.instanceCarries(made.Instance, made.Group)
}

// live reads one endpoint.
type live struct {
	*testing.T
	client *awsclient.Client
}

var home = config.Place{Account: "123456789012", Region: "us-east-1"}

func (l live) catalogue() *resource.Catalogue {
	l.Helper()
	cat, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		l.Fatal(err)
	}
	return cat
}

// discover reads a type, and each of the first few again by itself: both ways must see the same.
func (l live) discover(typ string) []config.Item {
	l.Helper()
	cat := l.catalogue()
	items, err := resource.Collect(cat.Discover(l.Context(), l.client, home, typ))
	if err != nil {
		l.Error(err)
	}
	for _, it := range items[:min(2, len(items))] {
		one, found, err := cat.Describe(l.Context(), l.client, it.Key())
		if err != nil || !found {
			l.Errorf("%s: found %v, %v", it.Key(), found, err)
		}
		a, _ := json.Marshal(it)
		b, _ := json.Marshal(one)
		if string(a) != string(b) {
			l.Errorf("listed and described differ:\n%s\n%s", a, b)
		}
	}
	return items
}

func (l live) groupHasNoWayOut(group, vpc string) {
	l.Helper()
	it, found, err := l.catalogue().Describe(l.Context(), l.client, config.ResourceKey{
		Place: home, Type: "AWS::EC2::SecurityGroup", ID: group,
	})
	if err != nil || !found {
		l.Fatalf("found %v, %v", found, err)
	}
	configuration := it.Configuration.(map[string]any)
	if out := configuration["ipPermissionsEgress"].([]any); len(out) != 0 {
		l.Errorf("egress %v", out)
	}
	want := config.Relationship{Type: "AWS::EC2::VPC", ID: vpc, Name: "Is contained in Vpc"}
	if len(it.Relationships) != 1 || it.Relationships[0] != want {
		l.Errorf("%v", it.Relationships)
	}
}

func (l live) instanceCarries(instance, group string) {
	l.Helper()
	it, found, err := l.catalogue().Describe(l.Context(), l.client, config.ResourceKey{
		Place: home, Type: "AWS::EC2::Instance", ID: instance,
	})
	if err != nil || !found {
		l.Fatalf("found %v, %v", found, err)
	}
	for _, r := range it.Relationships {
		if r.ID == group && r.Name == "Is associated with SecurityGroup" {
			return
		}
	}
	l.Errorf("the group is not among %v", it.Relationships)
}
