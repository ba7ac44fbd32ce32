package store

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"plumb/internal/config"
)

var update = flag.Bool("update", false, "write the stored forms of testdata anew")

// A store that was written by one release is read by the next: what stands in
// testdata/stored is on people's disks. Add to it; never change what is there.
func TestStoredFormsAreThoseOfEveryRelease(t *testing.T) {
	empty, tag := "", "team"
	rule := config.Rule{
		ARN: "arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-abc", Description: "d", InputParameters: `{"a":1}`,
		Frequency: "One_Hour", CreatedBy: "x.amazonaws.com", Modes: []string{"DETECTIVE"},
		Scope: &config.Scope{Types: []string{}, TagKey: &tag, TagValue: &empty, ID: &tag},
		Source: config.Source{
			Owner: config.OwnerPolicy, Identifier: "I", Policy: &config.Policy{Runtime: "guard-2.x.x", Text: "rule", Debug: true},
			Details: []config.SourceDetail{{EventSource: "aws.config", MessageType: config.MessageScheduled, Frequency: "Six_Hours"}},
		},
	}
	recorder := config.Recorder{
		ARN: "arn:r", RoleARN: "arn:role",
		Group:     config.RecordingGroup{AllSupported: true, IncludeGlobal: true, Types: []string{"A"}, Excluded: []string{"B"}, Strategy: config.RecordAll},
		Mode:      config.RecordingMode{Put: true, Frequency: config.Continuous, Overrides: []string{"C"}, Override: config.Daily, Description: "d"},
		Connector: "arn:c", ThirdParty: &config.ThirdPartyScope{Type: "tenant", Values: []string{"v"}, AllRegions: true, Regions: []string{"r"}},
	}
	channel := config.DeliveryChannel{Bucket: "b", Prefix: "p", KMSKeyARN: "arn:k", TopicARN: "arn:t", Frequency: "One_Hour"}
	regions := config.Regions{All: true, Names: []string{"eu-west-1"}}
	listed := config.Aggregator{Accounts: &config.AccountSource{Regions: regions}, Types: []string{"A"}}
	whole := config.Aggregator{Organization: &config.OrganizationSource{Regions: regions, RoleARN: "arn:role"}, Types: []string{"A"}}
	pack := config.ConformancePack{
		ARN: "arn:p", StackARN: "arn:s", CreatedBy: "x.amazonaws.com", DeliveryBucket: "b", DeliveryPrefix: "p",
		Parameters: []config.PackParameter{{Name: "n", Value: "v"}}, Document: &config.PackDocument{Name: "d", Version: "1"},
	}
	shared := config.OrganizationRule{
		OrganizationDeployment: config.OrganizationDeployment{Excluded: []string{"222222222222"}}, Rule: rule, DebugAccounts: []string{"333333333333"},
	}
	sharedPack := config.OrganizationPack{
		OrganizationDeployment: config.OrganizationDeployment{Excluded: []string{"222222222222"}}, DeliveryBucket: "b", DeliveryPrefix: "p",
		Parameters: []config.PackParameter{{Name: "n", Value: "v"}},
	}
	created := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	item := config.Item{
		ResourceKey: config.ResourceKey{Place: config.Place{Account: "123456789012", Region: "eu-west-1"}, Type: "AWS::S3::Bucket", ID: "b"},
		Name:        "n", ARN: "arn:b", AWSRegion: "eu-west-1", AZ: "Regional", Status: config.StatusOK, CaptureTime: created, StateID: created.UnixMilli(),
		CreationTime: &created, Tags: map[string]string{"k": "v"}, Configuration: map[string]any{"x": int64(1)},
		Supplementary: map[string]any{"y": "z"}, Frequency: config.Daily, DeliveryTime: &created,
		Relationships: []config.Relationship{{Type: "T", ID: "i", Name: "Is in"}, {Type: "T", ResourceName: "n", Name: "Is in"}},
	}
	imported := item
	imported.MD5, imported.RelatedEvents = "d41d8cd98f00b204e9800998ecf8427e", []string{"e"}
	imported.Imported = &config.Stamps{Version: "1.2", StateID: 949, Captured: created}
	evaluation := config.ResourceEvaluation{
		ResourceKey: config.ResourceKey{Type: "AWS::S3::Bucket", ID: "b"}, Configuration: "{}", Schema: "CFN_RESOURCE_SCHEMA", Timeout: 60,
	}
	yes, five := true, 5
	remediation := config.RemediationConfiguration{
		ARN: "arn:m", Document: "d", Version: "1", ResourceType: "AWS::S3::Bucket", Automatic: &yes, Attempts: &five, Window: &five,
		Concurrency: &five, Errors: &five, CreatedBy: "x.amazonaws.com",
		Parameters: map[string]config.RemediationParameter{"A": {ResourceID: true}, "B": {Values: []string{"v"}}},
	}
	for _, f := range []struct {
		name string
		form any
		noun any // that the form is of
		back func([]byte) (any, error)
	}{
		{"rule", fromRule(rule), rule, read(storedRule.toRule)},
		{"recorder", fromRecorder(recorder), recorder, read(storedRecorder.toRecorder)},
		{"delivery_channel", fromChannel(channel), channel, read(storedChannel.toChannel)},
		{"conformance_pack", fromPack(pack), pack, read(storedPack.toPack)},
		{"resource_evaluation", fromEvaluation(evaluation), evaluation, read(storedEvaluation.toEvaluation)},
		{"aggregator", fromAggregator(whole), whole, read(storedAggregator.toAggregator)},
		{"remediation", fromRemediation(remediation), remediation, read(storedRemediation.toRemediation)},
		{"organization_rule", fromOrganizationRule(shared), shared, read(storedOrganizationRule.toOrganizationRule)},
		{"organization_pack", fromOrganizationPack(sharedPack), sharedPack, read(storedOrganizationPack.toOrganizationPack)},
		{"item", item, item, func(text []byte) (any, error) { return decodedItem(text) }},
		{"imported_item", keptItem{imported}, imported, func(text []byte) (any, error) {
			it, err := decodedItem(text)
			it.StateID = imported.StateID // which the row has
			return it, err
		}},
	} {
		text, err := json.MarshalIndent(f.form, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "stored", f.name+".json")
		if *update {
			if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytes.TrimSpace(kept), text) {
			t.Errorf("a %s is written as\n%s\nwant\n%s", f.name, text, kept)
		}
		got, err := f.back(kept)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, f.noun) {
			t.Errorf("a %s is read as\n%+v\nwant\n%+v", f.name, got, f.noun)
		}
		if f.name != "item" { // the other one has what few items have
			everyFieldIsSet(t, f.name, reflect.ValueOf(f.form))
		}
	}
	if got := fromAggregator(listed).toAggregator(); !reflect.DeepEqual(got, listed) {
		t.Errorf("an aggregator of accounts is read as %+v", got)
	}
}

// A keptItem is an item as it is stored.
type keptItem struct{ config.Item }

func (k keptItem) MarshalJSON() ([]byte, error) { return k.KeptForm() }

func read[F, N any](to func(F) N) func([]byte) (any, error) {
	return func(text []byte) (any, error) {
		var form F
		err := json.Unmarshal(text, &form)
		return to(form), err
	}
}

// everyFieldIsSet fails for a field that the test would not miss.
func everyFieldIsSet(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		everyFieldIsSet(t, name, v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s: set %s in this test", name, v.Type().Field(i).Name)
			}
			everyFieldIsSet(t, name, v.Field(i))
		}
	}
}

// The numbers of statuses and compliances are on people's disks, too.
func TestStoredNumbersStay(t *testing.T) {
	for status, code := range map[config.ItemStatus]int64{
		"": 0, config.StatusOK: 1, config.StatusDiscovered: 2, config.StatusNotRecorded: 3, config.StatusDeleted: 4, config.StatusDeletedNotRecorded: 5,
	} {
		if statusCode(status) != code || statusOf(code) != status {
			t.Errorf("%q is kept as %d, and %d is read as %q", status, statusCode(status), code, statusOf(code))
		}
	}
	for compliance, code := range map[config.Compliance]int64{config.Compliant: 1, config.NonCompliant: 2, config.NotApplicable: 3} {
		if complianceCode(compliance) != code || complianceOf(code) != compliance {
			t.Errorf("%q is kept as %d, and %d is read as %q", compliance, complianceCode(compliance), code, complianceOf(code))
		}
	}
}
