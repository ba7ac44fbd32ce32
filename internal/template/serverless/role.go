package serverless

import (
	_ "embed" // the policy templates
	"maps"
	"slices"
	"strings"
	"sync"
)

// A role is the one that a function gets.
type role struct {
	properties object
	managed    []any
	inline     []any
	known      map[string]bool // hashes of what it has
}

// learn reports whether a policy is new.
func (r *role) learn(policy any) bool {
	sum := hash(policy)
	if r.known[sum] {
		return false
	}
	r.known[sum] = true
	return true
}

// partition is AWS's, of the region.
func (t *transform) partition() string {
	if p := t.values["AWS::Partition"]; p != "" {
		return p
	}
	return "aws"
}

// serviceRole is the ARN of a policy of AWS for the role of a service.
func (t *transform) serviceRole(name string) string {
	return "arn:" + t.partition() + ":iam::aws:policy/service-role/" + name
}

// managedPolicy is the ARN of a policy that AWS manages, by its name.
func (t *transform) managedPolicy(name string) string {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name
	case slices.Contains(serviceRoles(), name):
		return t.serviceRole(name)
	}
	return "arn:" + t.partition() + ":iam::aws:policy/" + name
}

// serviceRoles are the policies below /service-role/ that functions get by name.
func serviceRoles() []string {
	return []string{
		"AWSLambdaBasicExecutionRole", "AWSLambdaDynamoDBExecutionRole", "AWSLambdaENIManagementAccess", "AWSLambdaKinesisExecutionRole",
		"AWSLambdaMSKExecutionRole", "AWSLambdaRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSConfigRoleForOrganizations",
		"AWSConfigRulesExecutionRole", "AWS_ConfigRole", "AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores",
		"AWSCodeDeployRole", "AWSCodeDeployRoleForLambda", "AWSGlueServiceRole", "AmazonAPIGatewayPushToCloudWatchLogs", "AmazonDMSCloudWatchLogsRole",
		"AmazonDMSVPCManagementRole", "AmazonECSTaskExecutionRolePolicy", "AmazonElasticMapReduceRole", "AmazonElasticMapReduceforEC2Role",
		"AmazonRDSEnhancedMonitoringRole", "AmazonSNSRole", "AmazonSSMAutomationRole", "VMImportExportRoleForAWSConnector",
	}
}

// trust is a trust policy for a service.
func trust(service string) object {
	return object{"Version": "2012-10-17", "Statement": []any{
		object{"Action": []any{"sts:AssumeRole"}, "Effect": "Allow", "Principal": object{"Service": []any{service}}},
	}}
}

// allow is an inline policy.
func allow(name, action string, resource any) object {
	return object{"PolicyName": name, "PolicyDocument": object{"Statement": []any{object{"Action": action, "Effect": "Allow", "Resource": resource}}}}
}

// makeRole makes the role of a function that names none.
func (f *function) makeRole(out object) error {
	if out["Role"] != nil {
		return nil
	}
	out["Role"] = attribute(f.id+"Role", "Arn")
	r := &role{known: map[string]bool{}}
	f.role = r
	r.manage(f.serviceRole("AWSLambdaBasicExecutionRole"))
	if f.traced() {
		name := "AWSXRayDaemonWriteAccess"
		if f.partition() == "aws" {
			name = "AWSXrayWriteOnlyAccess"
		}
		r.manage(f.managedPolicy(name))
	}
	if f.in["VpcConfig"] != nil {
		r.manage(f.serviceRole("AWSLambdaVPCAccessExecutionRole"))
	}
	made, err := tags(f.in["Tags"], true)
	if err != nil {
		return err
	}
	document := f.in["AssumeRolePolicyDocument"]
	if document == nil {
		document = trust("lambda.amazonaws.com")
	}
	r.properties = object{
		"AssumeRolePolicyDocument": document, "Path": f.in["RolePath"], "PermissionsBoundary": f.in["PermissionsBoundary"], "Tags": made,
	}
	if v, ok := f.in["DeadLetterQueue"]; ok {
		q, err := deadLetters(v)
		if err != nil {
			return err
		}
		p := allow("DeadLetterQueuePolicy", q.action, q.target)
		p["PolicyDocument"].(object)["Version"] = "2012-10-17"
		r.inline = append(r.inline, p)
	}
	return f.policies()
}

// add puts the role into the template, once all that it has to allow is known.
func (r *role) add(f *function) {
	if r == nil {
		return
	}
	r.properties["ManagedPolicyArns"] = r.managed
	if len(r.inline) > 0 {
		r.properties["Policies"] = r.inline
	}
	f.transform.add(f.id+"Role", "AWS::IAM::Role", f.attributes, r.properties)
}

// manage gives a role a policy once.
func (r *role) manage(policy any) {
	if r != nil && r.learn(policy) {
		r.managed = append(r.managed, policy)
	}
}

// permit gives a role an inline policy, if it has none from here that says the same.
func (r *role) permit(policy object) {
	if r != nil && r.learn(policy["PolicyDocument"]) {
		r.inline = append(r.inline, policy)
	}
}

// A queue of dead letters, or a topic.
type letters struct {
	action string
	target any
}

func deadLetters(v any) (letters, error) {
	in, _ := v.(object)
	if in["Type"] == nil || in["TargetArn"] == nil {
		return letters{}, problemf("'DeadLetterQueue' requires Type and TargetArn properties to be specified.")
	}
	action, ok := map[any]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}[textOrEmpty(in["Type"])]
	if !ok {
		return letters{}, problemf("'DeadLetterQueue' requires Type of ['SQS', 'SNS']")
	}
	return letters{action, in["TargetArn"]}, nil
}

// policies gives the role what the property Policies says: policies that AWS
// manages, by name or ARN, documents, and policy templates.
func (f *function) policies() error {
	var list []any
	switch v := f.in["Policies"].(type) {
	case nil:
	case []any:
		list = v
	default:
		list = []any{v}
	}
	for i, v := range list {
		name := f.id + "RolePolicy" + itoa(i)
		m, ok := v.(object)
		if branches, conditional := m["Fn::If"].([]any); ok && conditional && len(branches) == 3 {
			if err := f.either(name, i, branches); err != nil {
				return err
			}
			continue
		}
		document, managed, err := f.policy(i, v)
		switch {
		case err != nil:
			return err
		case document != nil:
			f.role.learn(document)
			f.role.inline = append(f.role.inline, object{"PolicyName": name, "PolicyDocument": document})
		case managed != nil:
			f.role.manage(managed)
		}
	}
	return nil
}

// either gives the role one of two policies.
func (f *function) either(name string, index int, branches []any) error {
	out, inline := []any{branches[0], branches[1], branches[2]}, false
	for i := 1; i < 3; i++ {
		if isNoValue(branches[i]) {
			continue
		}
		document, managed, err := f.policy(index, branches[i])
		if err != nil {
			return err
		}
		if out[i] = managed; document != nil {
			out[i], inline = object{"PolicyName": name, "PolicyDocument": document}, true
		}
	}
	if inline {
		f.role.inline = append(f.role.inline, object{"Fn::If": out})
	} else {
		f.role.manage(object{"Fn::If": out})
	}
	return nil
}

// policy reads one of a function's policies.
func (f *function) policy(index int, v any) (document, managed any, err error) {
	if name, ok := v.(string); ok {
		return nil, f.managedPolicy(name), nil
	}
	m, ok := v.(object)
	switch {
	case !ok:
		return nil, nil, problemf("Policy at index %d in the 'Policies' property is not valid", index)
	case isNoValue(v):
		return nil, nil, nil
	case isFunction(m):
		return nil, m, nil
	case m["Statement"] != nil:
		return m, nil, nil
	case len(m) != 1:
		return nil, nil, problemf("Policy at index %d in the 'Policies' property is not valid", index)
	}
	for name, parameters := range m {
		document, err = fromTemplate(name, parameters)
	}
	return document, nil, err
}

//go:embed policies.txt
var policiesText string

// A policyTemplate is a policy with parameters.
type policyTemplate struct {
	parameters []string
	statements [][2][]string // actions and resources
}

// policyTemplates reads the catalogue when it is first asked for.
var policyTemplates = sync.OnceValue(func() map[string]policyTemplate {
	all := map[string]policyTemplate{}
	for _, entry := range strings.Split(policiesText, "\n\n") {
		var lines []string
		for line := range strings.SplitSeq(strings.TrimSpace(entry), "\n") {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		if len(lines) < 2 {
			continue
		}
		head := strings.Fields(lines[0])
		p := policyTemplate{parameters: head[1:]}
		for _, line := range lines[1:] {
			actions, resources, _ := strings.Cut(line, " on ")
			p.statements = append(p.statements, [2][]string{strings.Fields(actions), strings.Fields(resources)})
		}
		all[head[0]] = p
	}
	return all
})

// fromTemplate fills in a policy template.
func fromTemplate(name string, v any) (object, error) {
	p, ok := policyTemplates()[name]
	if !ok {
		return nil, problemf("Policy template '%s' is not one of those that are there: %s.", name,
			strings.Join(slices.Sorted(maps.Keys(policyTemplates())), ", "))
	}
	given, ok := v.(object)
	if !ok && v != nil {
		return nil, problemf("Must specify valid parameter values for policy template '%s'", name)
	}
	var missing []string
	for _, n := range p.parameters {
		if given[n] == nil {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		return nil, problemf("Following required parameters of policy template '%s' don't have values: %s", name, strings.Join(missing, ", "))
	}
	statements := []any{}
	for _, s := range p.statements {
		statements = append(statements, object{"Effect": "Allow", "Action": anys(s[0]), "Resource": resources(s[1], p.parameters, given)})
	}
	return object{"Statement": statements}, nil
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// resources makes ARNs of patterns: @ stands for the region and the account, {Name}
// for a parameter.
func resources(patterns, parameters []string, given object) any {
	var out []any
	for _, pattern := range patterns {
		if pattern == "*" {
			return "*"
		}
		text := strings.Replace(pattern, "@", "${AWS::Region}:${AWS::AccountId}", 1)
		if !strings.HasPrefix(pattern, "{") {
			text = "arn:${AWS::Partition}:" + text
		}
		variables := object{}
		for _, p := range parameters {
			if name := strings.ToLower(p[:1]) + p[1:]; strings.Contains(text, "{"+p+"}") {
				text = strings.ReplaceAll(text, "{"+p+"}", "${"+name+"}")
				variables[name] = given[p]
			}
		}
		if len(variables) == 0 {
			out = append(out, object{"Fn::Sub": text})
		} else {
			out = append(out, object{"Fn::Sub": []any{text, variables}})
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}
