package managed

import (
	"fmt"

	"cel.dev/cel-go/cel"
)

// proactive reports whether AWS evaluates with a managed rule before a resource
// is there: the list of the AWS Config Developer Guide.
func proactive(identifier string) bool {
	switch identifier {
	case "API_GW_XRAY_ENABLED", "AUTOSCALING_GROUP_ELB_HEALTHCHECK_REQUIRED", "EC2_INSTANCE_MULTIPLE_ENI_CHECK", "EIP_ATTACHED",
		"ELASTICSEARCH_NODE_TO_NODE_ENCRYPTION_CHECK", "LAMBDA_FUNCTION_SETTINGS_CHECK", "LAMBDA_INSIDE_VPC",
		"RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED", "RDS_ENHANCED_MONITORING_ENABLED", "RDS_INSTANCE_PUBLIC_ACCESS_CHECK",
		"RDS_MULTI_AZ_SUPPORT", "RDS_STORAGE_ENCRYPTED", "REDSHIFT_CLUSTER_MAINTENANCESETTINGS_CHECK",
		"REDSHIFT_CLUSTER_PUBLIC_ACCESS_CHECK", "S3_BUCKET_LOGGING_ENABLED", "SNS_ENCRYPTED_KMS",
		"SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED":
		return true
	}
	return false
}

// proactive reads the part of a file that judges properties in CloudFormation's
// spelling: they are the configuration of its examples' items.
func (p *fileParser) proactive(env *cel.Env) {
	node := p.nodes["proactive"]
	if node == nil {
		return
	}
	f := p.file
	part := &fileParser{
		file:  &File{Name: f.Name, Identifier: f.Identifier, Description: f.Description, Resources: f.Resources, Trigger: f.Trigger, Parameters: f.Parameters},
		nodes: p.mapping(node, []string{"applicable", "check", "annotation", "examples"}),
	}
	if part.nodes["check"] == nil || part.nodes["examples"] == nil {
		p.fail(node.Line, "proactive needs check and examples")
		return
	}
	part.nodes["parameters"] = p.nodes["parameters"] // for the lines of errors
	part.expressions(env)
	part.examples()
	p.errs = append(p.errs, part.errs...)
	f.Proactive = part.file
}

// Parts returns the file and what it holds of proactive evaluation.
func (f *File) Parts() []*File {
	if f.Proactive == nil {
		return []*File{f}
	}
	return []*File{f, f.Proactive}
}

// ProactiveEvaluator returns what judges the properties of a resource that is not
// there yet. The error is ErrNoEvaluator when the rule's file does not say how.
func (c *Catalogue) ProactiveEvaluator(identifier, inputParameters string) (*Evaluator, error) {
	file, err := c.File(identifier)
	if err != nil {
		return nil, err
	}
	if file.Proactive == nil {
		return nil, fmt.Errorf("%s, proactively: %w", identifier, ErrNoEvaluator)
	}
	return file.Proactive.Evaluator(inputParameters)
}
