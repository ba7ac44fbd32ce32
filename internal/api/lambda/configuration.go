package lambda

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

// timestamp is how Lambda writes times in functions.
const timestamp = "2006-01-02T15:04:05.000+0000"

// arnOf is how a version calls itself when it was not asked for by a name.
func arnOf(fn lambda.Function) string {
	if fn.Version == lambda.Latest {
		return fn.ARN()
	}
	return fn.QualifiedARN()
}

// configuration is a version as a shape, under the ARN by which it was asked
// for.
func configuration(fn lambda.Function, name string) *lambdaapi.FunctionConfiguration {
	c := &lambdaapi.FunctionConfiguration{
		FunctionName: new(fn.Name), FunctionArn: new(name), Version: new(fn.Version), RevisionId: new(fn.Revision),
		Runtime: lambdaapi.Runtime(fn.Runtime), Handler: new(fn.Handler), Role: new(fn.Role), Description: new(fn.Description),
		Timeout: new(int32(fn.Timeout)), MemorySize: new(int32(fn.Memory)), CodeSha256: new(fn.CodeSha256()), CodeSize: new(fn.CodeSize),
		LastModified: new(fn.Modified.UTC().Format(timestamp)), PackageType: "Zip",
		Architectures:        []lambdaapi.Architecture{lambdaapi.Architecture(fn.Architecture)},
		EphemeralStorage:     &lambdaapi.EphemeralStorage{Size: new(int32(fn.Ephemeral))},
		TracingConfig:        &lambdaapi.TracingConfigResponse{Mode: lambdaapi.TracingMode(fn.Tracing)},
		SnapStart:            &lambdaapi.SnapStartResponse{ApplyOn: lambdaapi.SnapStartApplyOn(fn.SnapStart), OptimizationStatus: "Off"},
		RuntimeVersionConfig: &lambdaapi.RuntimeVersionConfig{RuntimeVersionArn: new(runtimeARN(fn))},
		LoggingConfig: &lambdaapi.LoggingConfig{
			LogFormat: lambdaapi.LogFormat(fn.Log.Format), LogGroup: new(fn.Log.Group),
			ApplicationLogLevel: lambdaapi.ApplicationLogLevel(fn.Log.Application), SystemLogLevel: lambdaapi.SystemLogLevel(fn.Log.System),
		},
		KMSKeyArn: model.Optional(fn.KMSKey),
		State:     "Active", LastUpdateStatus: "Successful",
	}
	if fn.Environment != nil {
		c.Environment = &lambdaapi.EnvironmentResponse{Variables: fn.Environment}
	}
	if fn.DeadLetter != "" {
		c.DeadLetterConfig = &lambdaapi.DeadLetterConfig{TargetArn: new(fn.DeadLetter)}
	}
	if fn.VPC != nil {
		c.VpcConfig = &lambdaapi.VpcConfigResponse{
			SubnetIds: fn.VPC.Subnets, SecurityGroupIds: fn.VPC.SecurityGroups, VpcId: new(""), Ipv6AllowedForDualStack: new(fn.VPC.IPv6),
		}
	}
	return c
}

// runtimeARN names the runtime's build. AWS's are not known; this one is the
// same for one runtime.
func runtimeARN(fn lambda.Function) string {
	sum := sha256.Sum256([]byte(fn.Runtime))
	return arn.New("lambda", fn.Region, "", "runtime:"+hex.EncodeToString(sum[:])).String()
}

// listed leaves out what lists do not say.
func listed(c *lambdaapi.FunctionConfiguration) *lambdaapi.FunctionConfiguration {
	c.State, c.LastUpdateStatus, c.RuntimeVersionConfig = "", "", nil
	return c
}

// settings are the members that creation and update have in common; nil says
// nothing.
type settings struct {
	Runtime                    lambdaapi.Runtime
	Handler, Role, Description *string
	Timeout, MemorySize        *int32
	Ephemeral                  *lambdaapi.EphemeralStorage
	Environment                *lambdaapi.Environment
	DeadLetter                 *lambdaapi.DeadLetterConfig
	Tracing                    *lambdaapi.TracingConfig
	KMSKey                     *string
	SnapStart                  *lambdaapi.SnapStart
	Logging                    *lambdaapi.LoggingConfig
	VPC                        *lambdaapi.VpcConfig
	Layers                     []string
	FileSystems                []lambdaapi.FileSystemConfig
	Architectures              []lambdaapi.Architecture
}

func settingsOf(in *lambdaapi.CreateFunctionInput) settings {
	return settings{
		Runtime: in.Runtime, Handler: in.Handler, Role: in.Role, Description: in.Description, Timeout: in.Timeout, MemorySize: in.MemorySize,
		Ephemeral: in.EphemeralStorage, Environment: in.Environment, DeadLetter: in.DeadLetterConfig, Tracing: in.TracingConfig,
		KMSKey: in.KMSKeyArn, SnapStart: in.SnapStart, Logging: in.LoggingConfig, VPC: in.VpcConfig, Layers: in.Layers,
		FileSystems: in.FileSystemConfigs, Architectures: in.Architectures,
	}
}

// apply checks settings and writes them into a function.
func apply(fn *lambda.Function, s settings) error {
	if err := s.check(); err != nil {
		return err
	}
	set(&fn.Handler, s.Handler)
	set(&fn.Role, s.Role)
	set(&fn.Description, s.Description)
	set(&fn.KMSKey, s.KMSKey)
	setNumber(&fn.Timeout, s.Timeout)
	setNumber(&fn.Memory, s.MemorySize)
	if s.Runtime != "" {
		fn.Runtime = string(s.Runtime)
	}
	if s.Ephemeral != nil {
		setNumber(&fn.Ephemeral, s.Ephemeral.Size)
	}
	if s.Environment != nil {
		fn.Environment = nil
		if len(s.Environment.Variables) > 0 {
			fn.Environment = maps.Clone(s.Environment.Variables)
		}
	}
	if s.DeadLetter != nil {
		set(&fn.DeadLetter, s.DeadLetter.TargetArn) // without the member nothing changes
	}
	if s.Tracing != nil && s.Tracing.Mode != "" {
		fn.Tracing = string(s.Tracing.Mode)
	}
	if s.SnapStart != nil && s.SnapStart.ApplyOn != "" {
		fn.SnapStart = string(s.SnapStart.ApplyOn)
	}
	if s.Architectures != nil {
		if err := setArchitecture(fn, s.Architectures); err != nil {
			return err
		}
	}
	setLogging(fn, s.Logging)
	setVPC(fn, s.VPC)
	return nil
}

func set(to *string, from *string) {
	if from != nil {
		*to = *from
	}
}

func setNumber(to *int, from *int32) {
	if from != nil {
		*to = int(*from)
	}
}

// setLogging takes over a logging configuration; JSON has levels, Text has none.
func setLogging(fn *lambda.Function, l *lambdaapi.LoggingConfig) {
	if l == nil {
		return
	}
	log := fn.Log
	if l.LogFormat != "" {
		log.Format = string(l.LogFormat)
	}
	if l.ApplicationLogLevel != "" {
		log.Application = string(l.ApplicationLogLevel)
	}
	if l.SystemLogLevel != "" {
		log.System = string(l.SystemLogLevel)
	}
	if l.LogGroup != nil && *l.LogGroup != "" {
		log.Group = *l.LogGroup
	}
	if log.Format != "JSON" {
		log.Application, log.System = "", ""
	} else {
		log.Application, log.System = orInfo(log.Application), orInfo(log.System)
	}
	fn.Log = log
}

func orInfo(level string) string {
	if level == "" {
		return "INFO"
	}
	return level
}

// setVPC takes over a VPC configuration; an empty one takes it away.
func setVPC(fn *lambda.Function, v *lambdaapi.VpcConfig) {
	switch {
	case v == nil:
	case len(v.SubnetIds) == 0 && len(v.SecurityGroupIds) == 0:
		fn.VPC = nil
	default:
		fn.VPC = &lambda.VPC{Subnets: v.SubnetIds, SecurityGroups: v.SecurityGroupIds, IPv6: value(v.Ipv6AllowedForDualStack)}
	}
}

func setArchitecture(fn *lambda.Function, as []lambdaapi.Architecture) error {
	if len(as) != 1 || as[0] != "x86_64" && as[0] != "arm64" {
		var texts []string
		for _, a := range as {
			texts = append(texts, string(a))
		}
		return model.ValidationException("1 validation error detected: Value '[%s]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]", strings.Join(texts, ", "))
	}
	fn.Architecture = string(as[0])
	return nil
}
