package kind

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"plumb/internal/arn"
)

func createRestDeployment(ctx context.Context, r *Request) error {
	in := without(r.Properties, "StageDescription", "DeploymentCanarySettings")
	set(in, "canarySettings", r.Properties, "DeploymentCanarySettings")
	about, _ := r.Properties["StageDescription"].(map[string]any)
	set(in, "stageDescription", about, "Description")
	for _, member := range []string{"Variables", "TracingEnabled", "CacheClusterEnabled", "CacheClusterSize"} {
		set(in, member, about, member)
	}
	out, err := r.send(ctx, "apigateway", "CreateDeployment", in)
	if err != nil {
		return err
	}
	r.Physical = at(out, "id")
	r.Attributes = map[string]any{"DeploymentId": r.Physical}
	return r.describeStage(ctx)
}

// describeStage has the stage of a deployment become what StageDescription says of its
// methods.
func (r *Request) describeStage(ctx context.Context) error {
	before, _ := r.Old["StageDescription"].(map[string]any)
	after, _ := r.Properties["StageDescription"].(map[string]any)
	if r.text("StageName") == "" {
		return nil
	}
	if r.changed("StageName") {
		before = nil
	}
	var p patch
	p.setMethods(before, after)
	return p.send(ctx, r, "UpdateStage", r.stage())
}

func updateRestDeployment(ctx context.Context, r *Request) error {
	var p patch
	if r.changed("Description") {
		p.add("replace", "/description", r.text("Description"))
	}
	if err := p.send(ctx, r, "UpdateDeployment", map[string]any{"restApiId": r.text("RestApiId"), "deploymentId": r.Physical}); err != nil {
		return err
	}
	name := r.text("StageName")
	if name == "" || !r.changed("StageName") {
		return r.describeStage(ctx)
	}
	stage := map[string]any{"restApiId": r.text("RestApiId"), "stageName": name}
	p = nil
	p.add("replace", "/deploymentId", r.Physical)
	err := p.send(ctx, r, "UpdateStage", stage)
	if isAbsent(err) {
		stage["deploymentId"] = r.Physical
		_, err = r.send(ctx, "apigateway", "CreateStage", stage)
	}
	if err != nil {
		return err
	}
	return r.describeStage(ctx)
}

// deleteRestDeployment takes the stage that the deployment itself has made with it, where
// that still shows the deployment.
func deleteRestDeployment(ctx context.Context, r *Request) error {
	if name := r.text("StageName"); name != "" {
		stage := map[string]any{"restApiId": r.text("RestApiId"), "stageName": name}
		out, err := r.send(ctx, "apigateway", "GetStage", stage)
		if absent(err) != nil {
			return err
		}
		if err == nil && at(out, "deploymentId") == r.Physical {
			if _, err := r.send(ctx, "apigateway", "DeleteStage", stage); absent(err) != nil {
				return err
			}
		}
	}
	_, err := r.send(ctx, "apigateway", "DeleteDeployment", map[string]any{"restApiId": r.text("RestApiId"), "deploymentId": r.Physical})
	return absent(err)
}

// apartOfStage are properties of a stage that only updates take.
func apartOfStage() []string {
	return []string{"AccessLogSetting", "ClientCertificateId", "MethodSettings", "Tags"}
}

func createRestStage(ctx context.Context, r *Request) error {
	in := without(r.Properties, apartOfStage()...)
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["tags"] = tagMap(tags)
	}
	out, err := r.send(ctx, "apigateway", "CreateStage", in)
	if r.conflicts(err) {
		out, err = r.send(ctx, "apigateway", "GetStage", r.stage())
	}
	if err != nil {
		return err
	}
	r.Physical = at(out, "stageName")
	var p patch
	r.stageSettings(&p)
	return p.send(ctx, r, "UpdateStage", r.stage())
}

func (r *Request) stage() map[string]any {
	return map[string]any{"restApiId": r.text("RestApiId"), "stageName": r.text("StageName")}
}

func updateRestStage(ctx context.Context, r *Request) error {
	var p patch
	for property, path := range map[string]string{
		"DeploymentId": "/deploymentId", "Description": "/description", "DocumentationVersion": "/documentationVersion", "TracingEnabled": "/tracingEnabled",
		"CacheClusterEnabled": "/cacheClusterEnabled", "CacheClusterSize": "/cacheClusterSize",
	} {
		p.set(r, property, path)
	}
	p.setMap(r, "Variables", "/variables")
	r.stageSettings(&p)
	if err := p.send(ctx, r, "UpdateStage", r.stage()); err != nil {
		return err
	}
	return r.retagByMap(ctx, "apigateway", arn.New("apigateway", r.Place.Region, "", "/restapis/"+r.text("RestApiId")+"/stages/"+r.Physical).String())
}

// stageSettings are what only updates of a stage take.
func (r *Request) stageSettings(p *patch) {
	p.set(r, "ClientCertificateId", "/clientCertificateId")
	before, after := textMap(r.Old["AccessLogSetting"]), textMap(r.Properties["AccessLogSetting"])
	for property, path := range map[string]string{"DestinationArn": "destinationArn", "Format": "format"} {
		if v, ok := after[property]; ok && v != before[property] {
			p.add("replace", "/accessLogSettings/"+path, v)
		}
	}
	if len(before) > 0 && len(after) == 0 {
		p.add("remove", "/accessLogSettings", nil)
	}
	p.setMethods(r.Old, r.Properties)
}

// settingPaths are where patches of a stage find what properties say of methods.
var settingPaths = map[string]string{
	"CacheDataEncrypted": "caching/dataEncrypted", "CacheTtlInSeconds": "caching/ttlInSeconds", "CachingEnabled": "caching/enabled",
	"DataTraceEnabled": "logging/dataTrace", "LoggingLevel": "logging/loglevel", "MetricsEnabled": "metrics/enabled",
	"ThrottlingBurstLimit": "throttling/burstLimit", "ThrottlingRateLimit": "throttling/rateLimit",
}

// setMethods has the settings of methods become what properties say now. An update that
// failed may have left any of them out, so each is there before it is removed.
func (p *patch) setMethods(before, after map[string]any) {
	was, is := methodSettings(before), methodSettings(after)
	lost := func(method string) bool {
		for path := range was[method] {
			if _, ok := is[method][path]; !ok {
				return true
			}
		}
		return false
	}
	for _, method := range slices.Sorted(maps.Keys(was)) {
		if lost(method) {
			p.add("replace", method+"/metrics/enabled", "false")
			p.add("remove", method, nil)
		}
	}
	for _, method := range slices.Sorted(maps.Keys(is)) {
		if reflect.DeepEqual(was[method], is[method]) {
			continue
		}
		for _, path := range slices.Sorted(maps.Keys(is[method])) {
			p.add("replace", method+"/"+path, is[method][path])
		}
	}
}

// methodSettings are what properties say of methods, by the path of a method and of a
// setting in patches. A method that nothing is said of has no settings. What the description
// of a deployment's stage says beside its list is about every method.
func methodSettings(properties map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	put := func(method string, from map[string]any) {
		for property, path := range settingPaths {
			if v, ok := from[property]; ok {
				if out[method] == nil {
					out[method] = map[string]any{}
				}
				out[method][path] = v
			}
		}
	}
	put("/*/*", properties)
	list, _ := properties["MethodSettings"].([]any)
	for _, item := range list {
		setting, _ := item.(map[string]any)
		resource := strings.TrimPrefix(textOf(setting["ResourcePath"]), "/")
		if resource == "" {
			resource = "~1" // the root
		}
		put("/"+resource+"/"+strings.ToUpper(textOf(setting["HttpMethod"])), setting)
	}
	return out
}
