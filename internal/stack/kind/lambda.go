package kind

import (
	"archive/zip"
	"bytes"
	"context"
	"maps"
	"strings"
)

// lambdaTypes are those of Lambda.
func lambdaTypes() map[string]Type {
	return map[string]Type{
		"AWS::Lambda::Function": {
			Service: "Lambda", Naming: Naming{Property: "FunctionName", Max: 64}, Fixed: []string{"FunctionName", "PackageType"},
			Create: createFunction, Update: updateFunction, Settled: functionSettled,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "lambda", "DeleteFunction", map[string]any{"FunctionName": r.Physical})
				return absent(err)
			},
		},
		"AWS::Lambda::Permission": {Service: "Lambda", Naming: Naming{Max: 100}, Create: addPermission, Delete: removePermission},
		"AWS::Lambda::Version": {Service: "Lambda", Create: publishVersion, Delete: func(ctx context.Context, r *Request) error {
			_, err := r.send(ctx, "lambda", "DeleteFunction", map[string]any{"FunctionName": r.Physical})
			return absent(err)
		}},
		"AWS::Lambda::Alias": {Service: "Lambda", Fixed: []string{"FunctionName", "Name"}, Create: createAlias, Update: updateAlias,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "lambda", "DeleteAlias", map[string]any{"FunctionName": r.text("FunctionName"), "Name": r.text("Name")})
				return absent(err)
			}},
		"AWS::Lambda::EventInvokeConfig": {Service: "Lambda", Fixed: []string{"FunctionName", "Qualifier"}, Naming: Naming{Max: 128},
			Create: putEventInvoke, Update: putEventInvoke, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "lambda", "DeleteFunctionEventInvokeConfig",
					map[string]any{"FunctionName": r.text("FunctionName"), "Qualifier": r.text("Qualifier")})
				return absent(err)
			}},
		"AWS::Lambda::Url": {Service: "Lambda", Fixed: []string{"TargetFunctionArn", "Qualifier"}, Create: createURL, Update: updateURL,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "lambda", "DeleteFunctionUrlConfig", r.urlOf())
				return absent(err)
			}},
		"AWS::Lambda::LayerVersion": {Service: "Lambda", Naming: Naming{Property: "LayerName", Max: 140}, Create: publishLayer, Delete: deleteLayer},
		"AWS::Lambda::EventSourceMapping": {Service: "Lambda", Fixed: []string{"EventSourceArn", "StartingPosition", "StartingPositionTimestamp"},
			Create: createMapping, Update: updateMapping, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "lambda", "DeleteEventSourceMapping", map[string]any{"UUID": r.Physical})
				return absent(err)
			},
			Absent: func(ctx context.Context, r *Request) (bool, error) {
				_, err := r.send(ctx, "lambda", "GetEventSourceMapping", map[string]any{"UUID": r.Physical})
				return isAbsent(err), absent(err)
			}},
	}
}

// apart are properties of a function that have operations of their own.
func apart() []string {
	return []string{"Code", "Tags", "ReservedConcurrentExecutions", "Architectures", "PackageType", "FunctionName"}
}

func createFunction(ctx context.Context, r *Request) error {
	in := without(r.Properties, "ReservedConcurrentExecutions")
	in["FunctionName"] = r.name("FunctionName")
	code, err := r.code()
	if err != nil {
		return err
	}
	in["Code"] = code
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagMap(tags)
	} else {
		delete(in, "Tags")
	}
	if _, err := r.send(ctx, "lambda", "CreateFunction", in); r.mine(err) != nil {
		return err
	}
	r.Physical = r.name("FunctionName")
	if err := r.describeFunction(ctx); err != nil {
		return err
	}
	return r.setConcurrency(ctx)
}

func (r *Request) describeFunction(ctx context.Context) error {
	out, err := r.send(ctx, "lambda", "GetFunctionConfiguration", map[string]any{"FunctionName": r.Physical})
	if err != nil {
		return err
	}
	r.Attributes = map[string]any{"Arn": at(out, "FunctionArn")}
	return nil
}

func (r *Request) setConcurrency(ctx context.Context) (err error) {
	const property = "ReservedConcurrentExecutions"
	if !r.changed(property) {
		return nil
	}
	if n, ok := r.Properties[property]; ok {
		_, err = r.send(ctx, "lambda", "PutFunctionConcurrency", map[string]any{"FunctionName": r.Physical, property: n})
	} else {
		_, err = r.send(ctx, "lambda", "DeleteFunctionConcurrency", map[string]any{"FunctionName": r.Physical})
	}
	return err
}

// code is a function's code as the API takes it.
func (r *Request) code() (map[string]any, error) {
	code, _ := r.Properties["Code"].(map[string]any)
	text, inline := code["ZipFile"]
	if !inline {
		return code, nil
	}
	source := textOf(text)
	if len(source) > maxInline {
		return nil, refuse(InvalidRequest, "Properties validation failed with message: #/Code/ZipFile: expected maxLength: %d, actual: %d", maxInline, len(source))
	}
	runtime := r.text("Runtime")
	archive, err := inlineArchive(runtime, source)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ZipFile": archive}, nil
}

// maxInline is how many bytes of code a template may hold.
const maxInline = 4 << 20

// inlineArchive packs the code that stands in a template, with the module by which
// custom resources answer.
func inlineArchive(runtime, source string) ([]byte, error) {
	var files [][2]string
	switch {
	case strings.HasPrefix(runtime, "python"):
		files = [][2]string{{"index.py", source}, {"cfnresponse.py", pythonResponse}}
	case strings.HasPrefix(runtime, "nodejs"):
		files = [][2]string{{"index.js", source}, {"cfn-response.js", nodeResponse}}
	default:
		return nil, refuse(InvalidRequest, "ZipFile can only be used when Runtime is set to either of nodejs*, python*.")
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f[0])
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func updateFunction(ctx context.Context, r *Request) error {
	if r.changed("Code", "Architectures", "Runtime") {
		code, err := r.code()
		if err != nil {
			return err
		}
		in := maps.Clone(code)
		in["FunctionName"] = r.Physical
		set(in, "Architectures", r.Properties, "Architectures")
		if _, err := r.send(ctx, "lambda", "UpdateFunctionCode", in); err != nil {
			return err
		}
	}
	in := without(r.Properties, apart()...)
	for _, member := range clearable() {
		if _, had := r.Old[member.property]; had && in[member.property] == nil {
			in[member.property] = member.none
		}
	}
	in["FunctionName"] = r.Physical
	if _, err := r.send(ctx, "lambda", "UpdateFunctionConfiguration", in); err != nil {
		return err
	}
	if err := r.describeFunction(ctx); err != nil {
		return err
	}
	if err := r.setConcurrency(ctx); err != nil {
		return err
	}
	wanted, old := r.tags("Tags"), r.oldTags("Tags")
	function := map[string]any{"Resource": textOf(r.Attributes["Arn"])}
	if gone := missing(old, wanted); len(gone) > 0 {
		if _, err := r.send(ctx, "lambda", "UntagResource", map[string]any{"Resource": function["Resource"], "TagKeys": gone}); err != nil {
			return err
		}
	}
	if len(wanted) == 0 || maps.Equal(wanted, old) {
		return nil
	}
	function["Tags"] = tagMap(wanted)
	_, err := r.send(ctx, "lambda", "TagResource", function)
	return err
}

// clearable are members that keep what they have unless they are set to nothing.
func clearable() []struct {
	property string
	none     any
} {
	return []struct {
		property string
		none     any
	}{
		{"Description", ""}, {"Environment", map[string]any{"Variables": map[string]any{}}}, {"Layers", []any{}}, {"Timeout", 3}, {"MemorySize", 128},
		{"KmsKeyArn", ""}, {"EphemeralStorage", map[string]any{"Size": 512}}, {"TracingConfig", map[string]any{"Mode": "PassThrough"}},
		{"DeadLetterConfig", map[string]any{"TargetArn": ""}},
	}
}

func functionSettled(ctx context.Context, r *Request) (bool, error) {
	out, err := r.send(ctx, "lambda", "GetFunctionConfiguration", map[string]any{"FunctionName": r.Physical})
	if err != nil {
		return false, err
	}
	switch {
	case at(out, "State") == "Failed":
		return false, refuse("NotStabilized", "%s", at(out, "StateReason"))
	case at(out, "LastUpdateStatus") == "Failed":
		return false, refuse("NotStabilized", "%s", at(out, "LastUpdateStatusReason"))
	}
	return at(out, "State") != "Pending" && at(out, "LastUpdateStatus") != "InProgress", nil
}

func addPermission(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	in["StatementId"] = r.Name
	_, err := r.send(ctx, "lambda", "AddPermission", in)
	if r.mine(err) != nil {
		return err
	}
	r.Physical = r.Name
	r.Attributes = map[string]any{"Id": r.Name}
	return nil
}

func removePermission(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "lambda", "RemovePermission", map[string]any{"FunctionName": r.text("FunctionName"), "StatementId": r.Physical})
	return absent(err)
}

func publishVersion(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "lambda", "PublishVersion", without(r.Properties, "ProvisionedConcurrencyConfig", "RuntimePolicy"))
	if err != nil {
		return err
	}
	r.Physical = at(out, "FunctionArn")
	r.Attributes = map[string]any{"Version": at(out, "Version"), "FunctionArn": r.Physical}
	return nil
}

// routing puts a list of versions with weights into the mapping that the API
// takes.
func routing(properties map[string]any) map[string]any {
	out := without(properties, "ProvisionedConcurrencyConfig")
	m, ok := out["RoutingConfig"].(map[string]any)
	if !ok {
		return out
	}
	weights := map[string]any{}
	list, _ := m["AdditionalVersionWeights"].([]any)
	for _, item := range list {
		if v, ok := item.(map[string]any); ok {
			weights[textOf(v["FunctionVersion"])] = v["FunctionWeight"]
		}
	}
	out["RoutingConfig"] = map[string]any{"AdditionalVersionWeights": weights}
	return out
}

func createAlias(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "lambda", "CreateAlias", routing(r.Properties))
	if r.Again && isThere(err) {
		out, err = r.send(ctx, "lambda", "GetAlias", map[string]any{"FunctionName": r.text("FunctionName"), "Name": r.text("Name")})
	}
	if err != nil {
		return err
	}
	r.Physical = at(out, "AliasArn")
	r.Attributes = map[string]any{"AliasArn": r.Physical}
	return nil
}

func updateAlias(ctx context.Context, r *Request) error {
	in := routing(r.Properties)
	if _, had := r.Old["RoutingConfig"]; had && in["RoutingConfig"] == nil {
		in["RoutingConfig"] = map[string]any{"AdditionalVersionWeights": map[string]any{}}
	}
	_, err := r.send(ctx, "lambda", "UpdateAlias", in)
	return err
}

func putEventInvoke(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "lambda", "PutFunctionEventInvokeConfig", r.Properties)
	if r.Physical == "" {
		r.Physical = r.Name
	}
	return err
}

// urlOf names the function of a URL.
func (r *Request) urlOf() map[string]any {
	in := map[string]any{"FunctionName": r.text("TargetFunctionArn")}
	set(in, "Qualifier", r.Properties, "Qualifier")
	return in
}

func createURL(ctx context.Context, r *Request) error {
	return r.putURL(ctx, "CreateFunctionUrlConfig")
}

func updateURL(ctx context.Context, r *Request) error {
	return r.putURL(ctx, "UpdateFunctionUrlConfig")
}

func (r *Request) putURL(ctx context.Context, operation string) error {
	in := without(r.Properties, "TargetFunctionArn")
	maps.Copy(in, r.urlOf())
	_, err := r.send(ctx, "lambda", operation, in)
	if r.mine(err) != nil {
		return err
	}
	out, err := r.send(ctx, "lambda", "GetFunctionUrlConfig", r.urlOf())
	if err != nil {
		return err
	}
	r.Physical = at(out, "FunctionArn")
	r.Attributes = map[string]any{"FunctionArn": r.Physical, "FunctionUrl": at(out, "FunctionUrl")}
	return nil
}

func publishLayer(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	in["LayerName"] = r.name("LayerName")
	out, err := r.send(ctx, "lambda", "PublishLayerVersion", in)
	if err != nil {
		return err
	}
	r.Physical = at(out, "LayerVersionArn")
	r.Attributes = map[string]any{"LayerVersionArn": r.Physical}
	return nil
}

func deleteLayer(ctx context.Context, r *Request) error {
	i := strings.LastIndexByte(r.Physical, ':')
	if i < 0 {
		return nil
	}
	_, err := r.send(ctx, "lambda", "DeleteLayerVersion", map[string]any{"LayerName": r.Physical[:i], "VersionNumber": r.Physical[i+1:]})
	return absent(err)
}

func createMapping(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "lambda", "CreateEventSourceMapping", r.Properties)
	if source := r.text("EventSourceArn"); source != "" && r.Again && isThere(err) {
		out, err = r.orFound(ctx, err, lookup{
			service: "lambda", operation: "ListEventSourceMappings", in: map[string]any{"FunctionName": r.text("FunctionName"), "EventSourceArn": source},
			list: "EventSourceMappings", token: "Marker", next: "NextMarker",
		}, func(item map[string]any) bool { return at(item, "EventSourceArn") == source })
	}
	if err != nil {
		return err
	}
	r.Physical = at(out, "UUID")
	r.Attributes = map[string]any{"Id": r.Physical, "EventSourceMappingArn": at(out, "EventSourceMappingArn")}
	return nil
}

func updateMapping(ctx context.Context, r *Request) error {
	in := without(r.Properties, "EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "Queues", "Topics", "SelfManagedEventSource")
	in["UUID"] = r.Physical
	_, err := r.send(ctx, "lambda", "UpdateEventSourceMapping", in)
	return err
}
