package typename_test

import (
	"strings"
	"testing"

	"plumb/internal/resource/typename"
)

func TestMisspelledTypeIsRefusedWithTheNameThatIsMeant(t *testing.T) {
	for name, meant := range map[string]string{
		"AWS::S3::Buckett":        "is AWS::S3::Bucket meant?",
		"AWS::S3::bucket":         "is AWS::S3::Bucket meant?",
		"aws::s3::bucket":         "is AWS::S3::Bucket meant?",
		"AWS:S3:Bucket":           "is AWS::S3::Bucket meant?",
		"AWS::EC2::Securitygroup": "is AWS::EC2::SecurityGroup meant?",
		"AWS::S3::Thing":          "is one of these meant: AWS::S3::AccessGrant, ",
		"AWS::Toaster::Toast":     "\"plumb docs resource-types\" lists",
	} {
		if err := typename.Check(name); err == nil || !strings.HasPrefix(err.Error(), "AWS Config has no resource type "+name+"; ") || !strings.Contains(err.Error(), meant) {
			t.Errorf("%s: %v, want %s", name, err, meant)
		}
	}
}

func TestTypesOfAWSConfigOfThisProgramAndOfOthersAreTaken(t *testing.T) {
	for _, name := range []string{"AWS::S3::Bucket", "AWS::::Account", "AWS::DAX::Cluster", "AWS::StorageGateway::Volume", "Company::Service::Thing"} {
		if err := typename.Check(name); err != nil {
			t.Error(err)
		}
	}
}
