package realtest

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestACloudThatWeDidNotWriteIsRecorded records what moto's server holds, changes
// it there, and reads with the AWS CLI what became of it.
func TestACloudThatWeDidNotWriteIsRecorded(t *testing.T) {
	t.Parallel()
	needTool(t, "aws")
	moto := startMoto(t)
	names := boto3(t, "cloud.py", moto)
	s := serve(t, "--target", moto)
	s.aws(t, "configservice", "subscribe", "--s3-bucket", "delivered", "--sns-topic", "published",
		"--iam-role", "arn:aws:iam::123456789012:role/config")
	s.drain(t)
	t.Run("a closed egress gives the group and its instances items", func(t *testing.T) { closeEgress(t, s, moto, names) })
	t.Run("every managed rule comes to an end over it", func(t *testing.T) { everyRule(t, s) })
	t.Run("what is gone is deleted", func(t *testing.T) { deleteVolume(t, s, moto, names) })
}

func closeEgress(t *testing.T, s served, moto string, names map[string]string) {
	for kind, id := range map[string]string{
		"AWS::EC2::Instance": names["i_ssh"], "AWS::EC2::SecurityGroup": names["sg_ssh"], "AWS::EC2::VPC": names["vpc_open"],
	} {
		if !slices.Contains(discovered(t, s, kind), id) {
			t.Errorf("%s %s was not discovered", kind, id)
		}
	}
	group := history(t, s, "AWS::EC2::SecurityGroup", names["sg_ssh"])
	if len(group) != 1 || group[0].Status != "ResourceDiscovered" || len(group[0].egress(t)) != 1 {
		t.Fatalf("the group at first: %+v", group)
	}

	boto3(t, "change.py", moto, "close-egress", names["sg_ssh"])
	s.later(t, "61s")

	group = history(t, s, "AWS::EC2::SecurityGroup", names["sg_ssh"])
	if len(group) != 2 || group[0].Status != "OK" || len(group[0].egress(t)) != 0 {
		t.Errorf("the group after the change: %+v", group)
	}
	if !group[0].leadsTo("AWS::EC2::VPC", names["vpc_open"], "Is contained in Vpc") {
		t.Errorf("the group's relationships: %+v", group[0].Relationships)
	}
	if !group[0].leadsTo("AWS::EC2::Instance", names["i_ssh"], "Is associated with Instance") {
		t.Errorf("the group does not lead back to its instance: %+v", group[0].Relationships)
	}
	instance := history(t, s, "AWS::EC2::Instance", names["i_ssh"])
	if len(instance) != 2 || instance[0].Status != "OK" {
		t.Fatalf("the group's instance: %+v", instance)
	}
	for kind, name := range map[string]string{"sg_ssh": "Is associated with SecurityGroup", "vpc_open": "Is contained in Vpc", "subnet_open": "Is contained in Subnet"} {
		if !instance[0].leadsTo("", names[kind], name) {
			t.Errorf("the instance's relationships: %+v lack %s", instance[0].Relationships, name)
		}
	}
	if others := history(t, s, "AWS::EC2::Instance", names["i_quiet"]); len(others) != 1 {
		t.Errorf("an instance of another group has %d items", len(others))
	}
}

func deleteVolume(t *testing.T, s served, moto string, names map[string]string) {
	boto3(t, "change.py", moto, "delete-volume", names["vol_plain"])
	s.later(t, "61s")
	volume := history(t, s, "AWS::EC2::Volume", names["vol_plain"])
	if len(volume) != 2 || volume[0].Status != "ResourceDeleted" {
		t.Errorf("the volume: %+v", volume)
	}
	if slices.Contains(discovered(t, s, "AWS::EC2::Volume"), names["vol_plain"]) {
		t.Error("the deleted volume is still listed")
	}
}

// An item is what the AWS CLI prints of one.
type item struct {
	Status        string `json:"configurationItemStatus"`
	Configuration string `json:"configuration"`
	Relationships []relationship
}

type relationship struct {
	Type string `json:"resourceType"`
	ID   string `json:"resourceId"`
	Name string `json:"relationshipName"`
}

func (it item) leadsTo(kind, id, name string) bool {
	return slices.ContainsFunc(it.Relationships, func(r relationship) bool {
		return r.ID == id && r.Name == name && (kind == "" || r.Type == kind)
	})
}

func (it item) egress(t *testing.T) []any {
	t.Helper()
	var group struct{ IPPermissionsEgress []any }
	if err := json.Unmarshal([]byte(it.Configuration), &group); err != nil {
		t.Fatal(err)
	}
	return group.IPPermissionsEgress
}

// history returns a resource's items, newest first.
func history(t *testing.T, s served, kind, id string) []item {
	t.Helper()
	var out struct{ ConfigurationItems []item }
	s.query(t, &out, "configservice", "get-resource-config-history", "--resource-type", kind, "--resource-id", id)
	return out.ConfigurationItems
}

func discovered(t *testing.T, s served, kind string) []string {
	t.Helper()
	var ids []string
	s.query(t, &ids, "configservice", "list-discovered-resources", "--resource-type", kind, "--query", "resourceIdentifiers[].resourceId")
	return ids
}
