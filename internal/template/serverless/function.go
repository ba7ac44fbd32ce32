package serverless

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// plain are the properties of a function that stay what they are.
func plain() []string {
	return []string{
		"FunctionName", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment", "KmsKeyArn",
		"ReservedConcurrentExecutions", "Layers", "FileSystemConfigs", "ImageConfig", "PackageType", "Architectures", "SnapStart", "EphemeralStorage",
		"CodeSigningConfigArn", "RuntimeManagementConfig", "LoggingConfig", "RecursiveLoop", "Role",
	}
}

// changed are the properties of a function that become something else.
func changed() []string {
	return []string{
		"CodeUri", "ImageUri", "InlineCode", "DeadLetterQueue", "AssumeRolePolicyDocument", "Policies", "RolePath", "PermissionsBoundary", "Events",
		"Tags", "PropagateTags", "Tracing", "DeploymentPreference", "EventInvokeConfig", "AutoPublishAlias", "AutoPublishCodeSha256",
		"AutoPublishAliasAllProperties", "VersionDescription", "ProvisionedConcurrencyConfig", "FunctionUrlConfig", "SourceKMSKeyArn",
		"VersionDeletionPolicy",
	}
}

// A function is one that is transformed.
type function struct {
	*transform
	id         string
	in         object // properties
	attributes object // what its resources have of it: condition, policies
	arn, name  any    // of the function, or of its alias
	role       *role  // nil where the template names one
	alias      string // logical id
	aliasName  string
}

// inherited are the attributes of a function that all its resources get.
func inherited(r object) object {
	out := object{}
	for _, k := range []string{"Condition", "DeletionPolicy", "UpdateReplacePolicy"} {
		if v, ok := r[k]; ok {
			out[k] = v
		}
	}
	return out
}

func (t *transform) function(id string, r, properties object) error {
	for _, k := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(plain(), k) && !slices.Contains(changed(), k) {
			return problemf("property %s not defined for resource of type %sFunction", k, prefix)
		}
	}
	f := &function{transform: t, id: id, in: properties, attributes: inherited(r), arn: attribute(id, "Arn"), name: ref(id)}
	out, err := f.properties()
	if err != nil {
		return err
	}
	if err := f.makeRole(out); err != nil {
		return err
	}
	attributes := maps.Clone(r)
	delete(attributes, "Connectors")
	made := t.add(id, "AWS::Lambda::Function", attributes, out)
	for _, step := range []func(object) error{f.publish, f.url, f.invoke, f.deploys, f.events} {
		if err := step(made); err != nil {
			return err
		}
	}
	f.role.add(f)
	return nil
}

// properties are those of the function itself.
func (f *function) properties() (object, error) {
	out := object{}
	for _, k := range plain() {
		if v, ok := f.in[k]; ok {
			out[k] = v
		}
	}
	code, err := f.code()
	if err != nil {
		return nil, err
	}
	out["Code"] = code
	if out["Tags"], err = tags(f.in["Tags"], true); err != nil {
		return nil, err
	}
	if f.traced() {
		out["TracingConfig"] = object{"Mode": f.in["Tracing"]}
	}
	if v, ok := f.in["DeadLetterQueue"]; ok {
		q, err := deadLetters(v)
		if err != nil {
			return nil, err
		}
		out["DeadLetterConfig"] = object{"TargetArn": q.target}
	}
	return out, f.checkPackage(out)
}

func (f *function) traced() bool {
	v, ok := f.in["Tracing"]
	return ok && v != nil && f.resolve(v) != "Disabled"
}

func (f *function) checkPackage(out object) error {
	switch kind := out["PackageType"]; {
	case kind == "Image" && (out["Handler"] != nil || out["Runtime"] != nil || out["Layers"] != nil):
		return problemf("Runtime, Handler, Layers cannot be present when PackageType is of type `Image`")
	case kind == "Image":
		return nil
	case out["Runtime"] == nil || out["Handler"] == nil:
		return problemf("Runtime and Handler needs to be present when PackageType is of type `Zip`")
	case out["ImageConfig"] != nil:
		return problemf("ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`")
	}
	return nil
}

// code is where a function's code is.
func (f *function) code() (any, error) {
	switch kind := f.in["PackageType"]; {
	case kind != nil && kind != "Zip" && kind != "Image":
		return nil, problemf("invalid 'PackageType' : %v", kind)
	case kind == "Image" && f.in["ImageUri"] == nil:
		return nil, problemf("'ImageUri' must be set.")
	case kind == "Image":
		return object{"ImageUri": f.in["ImageUri"]}, nil
	case f.in["InlineCode"] != nil:
		return object{"ZipFile": f.in["InlineCode"]}, nil
	case f.in["CodeUri"] == nil:
		return nil, problemf("Only one of 'InlineCode' or 'CodeUri' can be set.")
	}
	out, err := f.location(f.in["CodeUri"], "CodeUri")
	if at, ok := out.(object); ok && f.in["SourceKMSKeyArn"] != nil {
		at["SourceKMSKeyArn"] = f.in["SourceKMSKeyArn"]
	}
	return out, err
}

// location is an object of S3 as Lambda takes it, or the path of a folder.
func (t *transform) location(v any, property string) (any, error) {
	switch v := v.(type) {
	case object:
		if v["Bucket"] == nil || v["Key"] == nil {
			return nil, problemf("'%s' requires Bucket and Key properties to be specified.", property)
		}
		out := object{"S3Bucket": v["Bucket"], "S3Key": v["Key"]}
		if version, ok := v["Version"]; ok {
			out["S3ObjectVersion"] = version
		}
		return out, nil
	case string:
		u, err := url.Parse(v)
		if err == nil && u.Scheme == "s3" && u.Host != "" && strings.Trim(u.Path, "/") != "" {
			out := object{"S3Bucket": u.Host, "S3Key": strings.TrimLeft(u.Path, "/")}
			if version := u.Query().Get("versionId"); version != "" {
				out["S3ObjectVersion"] = version
			}
			return out, nil
		}
		if t.authored {
			return v, nil
		}
	}
	return nil, problemf("'%s' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.", property)
}

// tags are those of a mapping as a list, after the one that says who made it.
func tags(v any, made bool) ([]any, error) {
	out := []any{}
	if made {
		out = append(out, object{"Key": "lambda:createdBy", "Value": "SAM"})
	}
	if v == nil {
		return out, nil
	}
	m, ok := v.(object)
	if !ok || isFunction(m) {
		return nil, problemf("Type of property 'Tags' is invalid.")
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(k, "lambda:createdBy") {
			return nil, problemf("%s is a reserved Tag key name and cannot be set on your resource. Please change the tag key in the input.", k)
		}
		value := m[k]
		if value == nil {
			value = ""
		}
		out = append(out, object{"Key": k, "Value": value})
	}
	return out, nil
}

var aliasName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// publish makes a version and an alias of it, if the template asks for one.
func (f *function) publish(made object) error {
	v, ok := f.in["AutoPublishAlias"]
	if !ok {
		if f.in["ProvisionedConcurrencyConfig"] != nil {
			return problemf("To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function")
		}
		return nil
	}
	name, ok := f.resolve(v).(string)
	switch {
	case !ok:
		return problemf("'AutoPublishAlias' must be a string or a Ref to a template parameter")
	case !aliasName.MatchString(name) || strings.Trim(name, "0123456789") == "":
		return problemf("AutoPublishAlias name ('%s') must contain only alphanumeric characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.", name)
	}
	properties, _ := made["Properties"].(object)
	properties["Code"] = f.resolve(properties["Code"]) // as AWS leaves it
	id, err := f.versionID(properties)
	if err != nil {
		return err
	}
	version := maps.Clone(f.attributes)
	if version["DeletionPolicy"] == nil {
		if version["DeletionPolicy"] = "Retain"; f.in["VersionDeletionPolicy"] != nil {
			version["DeletionPolicy"] = f.in["VersionDeletionPolicy"]
		}
	}
	f.add(id, "AWS::Lambda::Version", version, object{"FunctionName": ref(f.id), "Description": f.in["VersionDescription"]})
	f.alias, f.aliasName = f.id+"Alias"+strings.NewReplacer("-", "D", "_", "U").Replace(name), name
	f.add(f.alias, "AWS::Lambda::Alias", f.attributes, object{
		"Name": name, "FunctionName": ref(f.id), "FunctionVersion": attribute(id, "Version"),
		"ProvisionedConcurrencyConfig": f.in["ProvisionedConcurrencyConfig"],
	})
	f.renamed[f.id+".Version"], f.renamed[f.id+".Alias"] = id, f.alias
	f.arn, f.name = ref(f.alias), ref(f.alias)
	return nil
}

// versionID names a version by what it is of: other code is another resource.
func (f *function) versionID(properties object) (string, error) {
	if v, ok := f.in["AutoPublishCodeSha256"]; ok {
		sum, ok := f.resolve(v).(string)
		if !ok {
			return "", problemf("AutoPublishCodeSha256 must be a string")
		}
		properties["Description"] = described(f.resolve(properties["Description"]), sum)
		return f.id + "Version" + sum[:min(len(sum), 10)], nil
	}
	if f.in["AutoPublishAliasAllProperties"] == true {
		return f.id + "Version" + hash(properties), nil
	}
	of := object{}
	if code, ok := properties["Code"].(object); ok {
		maps.Copy(of, code)
	} else {
		of["Code"] = properties["Code"] // a folder
	}
	if environment, ok := properties["Environment"].(object); ok {
		maps.Copy(of, environment)
	}
	if v := properties["MemorySize"]; v != nil {
		of["MemorySize"] = v
	}
	if snap, ok := properties["SnapStart"].(object); ok && snap["ApplyOn"] != nil && snap["ApplyOn"] != "None" {
		of["SnapStart"] = snap
	}
	return f.id + "Version" + hash(of), nil
}

// described adds the sum of the code to a description, so that the function
// changes when its code does.
func described(description any, sum string) any {
	if text, ok := description.(string); ok && text != "" {
		return text + " " + sum
	} else if description == nil || ok {
		return sum
	}
	return object{"Fn::Join": []any{" ", []any{description, sum}}}
}

// url makes the function's URL.
func (f *function) url(object) error {
	v, ok := f.in["FunctionUrlConfig"]
	if !ok {
		return nil
	}
	in, ok := v.(object)
	auth, _ := in["AuthType"].(string)
	if _, call := in["AuthType"].(object); !ok || !call && auth != "NONE" && auth != "AWS_IAM" {
		return problemf("AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.")
	}
	f.add(f.id+"Url", "AWS::Lambda::Url", f.attributes, object{
		"TargetFunctionArn": f.name, "AuthType": in["AuthType"], "Cors": in["Cors"], "InvokeMode": in["InvokeMode"],
	})
	if auth != "NONE" {
		return nil
	}
	f.add(f.id+"UrlPublicPermissions", "AWS::Lambda::Permission", f.attributes, object{
		"Action": "lambda:InvokeFunctionUrl", "FunctionName": f.name, "Principal": "*", "FunctionUrlAuthType": "NONE",
	})
	f.add(f.id+"URLInvokeAllowPublicAccess", "AWS::Lambda::Permission", f.attributes, object{
		"Action": "lambda:InvokeFunction", "FunctionName": f.name, "Principal": "*", "InvokedViaFunctionUrl": true,
	})
	return nil
}

// deploys refuses deployments that shift traffic: there is no CodeDeploy.
func (f *function) deploys(object) error {
	v, ok := f.in["DeploymentPreference"]
	if !ok {
		return nil
	}
	in, _ := v.(object)
	enabled := f.resolve(in["Enabled"])
	if enabled == false || enabled == "false" || f.authored {
		return nil
	}
	return problemf("'DeploymentPreference' is not supported: nothing shifts traffic here. Set its Enabled to false.")
}

// layer makes a version of a layer, whose logical id changes with it.
func (t *transform) layer(id string, r, properties object) error {
	known := []string{"LayerName", "Description", "ContentUri", "CompatibleArchitectures", "CompatibleRuntimes", "LicenseInfo", "RetentionPolicy", "PublishLambdaVersion"}
	for _, k := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(known, k) {
			return problemf("property %s not defined for resource of type %sLayerVersion", k, prefix)
		}
	}
	content, err := t.location(properties["ContentUri"], "ContentUri")
	if err != nil {
		return err
	}
	attributes := inherited(r)
	if attributes["DeletionPolicy"] == nil {
		attributes["DeletionPolicy"] = "Retain"
	}
	if v, ok := properties["RetentionPolicy"]; ok {
		text, _ := t.resolve(v).(string)
		switch strings.ToLower(text) {
		case "retain":
			attributes["DeletionPolicy"] = "Retain"
		case "delete":
			attributes["DeletionPolicy"] = "Delete"
		default:
			return problemf("'RetentionPolicy' must be one of the following options: ['Retain', 'Delete'].")
		}
		properties["RetentionPolicy"] = text
	}
	if d, ok := r["DependsOn"]; ok {
		attributes["DependsOn"] = d
	}
	whole := object{"Type": r["Type"], "Properties": properties}
	for _, k := range []string{"Condition", "DependsOn"} {
		if v, ok := r[k]; ok {
			whole[k] = v
		}
	}
	made := id + hash(object{id: whole})
	name := properties["LayerName"]
	if name == nil {
		name = id
	}
	delete(t.resources, id)
	t.add(made, "AWS::Lambda::LayerVersion", attributes, object{
		"LayerName": name, "Description": properties["Description"], "Content": content, "CompatibleRuntimes": properties["CompatibleRuntimes"],
		"CompatibleArchitectures": properties["CompatibleArchitectures"], "LicenseInfo": properties["LicenseInfo"],
	})
	t.renamed[id] = made
	return nil
}
