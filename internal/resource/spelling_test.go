package resource

import (
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestNamesAreSpelledAsTheBeansSpellThem(t *testing.T) {
	for name, want := range map[string][2]string{
		"InstanceId":               {"instanceId", "instanceId"},
		"DBInstanceIdentifier":     {"dBInstanceIdentifier", "dbinstanceIdentifier"},
		"SSEDescription":           {"sSEDescription", "ssedescription"},
		"IAMDatabaseAuthenticated": {"iAMDatabaseAuthenticated", "iamdatabaseAuthenticated"},
		"ARN":                      {"aRN", "arn"},
	} {
		if got := [2]string{lowerFirst(name), lowerLeading(name)}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestTemplatesKeepTheKindOfAValueThatStandsAlone(t *testing.T) {
	var tpl template
	text := `{list: "{Names}", n: 5, mixed: "a-{Names[0]}-{Missing}-{ {x: '}'}.x }"}`
	if err := yaml.Unmarshal([]byte(text), &tpl); err != nil {
		t.Fatal(err)
	}
	got, err := tpl.fill(map[string]any{"Names": []any{"n"}})
	want := map[string]any{"list": []any{"n"}, "n": 5, "mixed": "a-n--}"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBucketGrantsNameGroupsAndPeople(t *testing.T) {
	got, err := bucketGrants(map[string]any{
		"Owner": map[string]any{"ID": "o"},
		"Grants": []any{
			map[string]any{"Grantee": map[string]any{"URI": "http://x/AllUsers"}, "Permission": "READ_ACP"},
			map[string]any{"Grantee": map[string]any{"ID": "p"}, "Permission": "FULL_CONTROL"},
		},
	})
	want := map[string]any{
		"grantSet": nil, "isRequesterCharged": false, "owner": map[string]any{"displayName": nil, "id": "o"},
		"grantList": []any{
			map[string]any{"grantee": "AllUsers", "permission": "ReadAcp"},
			map[string]any{"grantee": map[string]any{"id": "p", "displayName": nil}, "permission": "FullControl"},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestPoliciesAreEncodedOnceHoweverTheyCome(t *testing.T) {
	v := map[string]any{"list": []any{map[string]any{"policyDocument": `{"a": "*"}`}}, "assumeRolePolicyDocument": "%7B%7D"}
	got, err := percentEncodedDocuments(v)
	want := map[string]any{
		"list":                     []any{map[string]any{"policyDocument": "%7B%22a%22%3A%20%22%2A%22%7D"}},
		"assumeRolePolicyDocument": "%7B%7D",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestStepsRefuseWhatTheyDoNotKnow(t *testing.T) {
	for name, step := range steps {
		if name == "percent-encoded-documents" {
			continue // takes anything
		}
		if _, err := step("text"); err == nil {
			t.Errorf("%s took a text", name)
		}
	}
}

func TestNamesOfCloudFormationBeginWithACapital(t *testing.T) {
	for name, want := range map[string]string{"containerDefinitions": "ContainerDefinitions", "roleArn": "RoleArn", "ID": "ID"} {
		if got := upperFirst(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestMembersAreRenamedAndAdded(t *testing.T) {
	s := speller{key: upperFirst, respell: map[string]string{"httpport": "HttpPort"}}
	if s.name("httpport") != "HttpPort" || s.name("port") != "Port" {
		t.Error("a name that follows no rule")
	}
	m := map[string]any{"Settings": []any{}, "Name": "n"}
	s.rename(m, map[string]string{"settings": "ClusterSettings", "absent": "X"})
	full, err := compile("other.value", 1)
	if err != nil {
		t.Fatal(err)
	}
	none, err := compile("other.nothing", 1)
	if err != nil {
		t.Fatal(err)
	}
	b := body{Unset: "omit", Add: map[string]*expression{"Full": &full, "None": &none}}
	if err := b.add(m, map[string]any{"other": map[string]any{"value": "v"}}); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"ClusterSettings": []any{}, "Name": "n", "Full": "v"}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%v, want %v", m, want)
	}
	if err := b.add("text", nil); err == nil {
		t.Error("a text took members")
	}
}
