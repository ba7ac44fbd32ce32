package lambda

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

// runtimes are the names that this server takes. Names that AWS no longer takes
// are among them: many published rules still say them.
var runtimes = []string{
	"nodejs24.x", "nodejs22.x", "nodejs20.x", "nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x", "nodejs8.10", "nodejs6.10", "nodejs4.3", "nodejs",
	"python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python3.8", "python3.7", "python3.6",
	"provided.al2023", "provided.al2", "provided",
}

// known at AWS, and not run here.
var notHere = []string{"java", "dotnet", "ruby", "python2", "go1.x"}

var roleARN = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)

func (s settings) check() error {
	if s.Role != nil && !roleARN.MatchString(*s.Role) {
		return model.ValidationException("1 validation error detected: Value '%s' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+", *s.Role)
	}
	if err := checkRuntime(string(s.Runtime)); err != nil {
		return err
	}
	for _, n := range []struct {
		name     string
		v        *int32
		low, top int32
	}{{"timeout", s.Timeout, 1, 900}, {"memorySize", s.MemorySize, 128, 10240}, {"ephemeralStorage.size", size(s.Ephemeral), 512, 10240}} {
		if err := between(n.name, n.v, n.low, n.top); err != nil {
			return err
		}
	}
	if len(s.Layers) > 5 {
		return lambdaapi.InvalidParameterValueException("Cannot reference more than 5 layers.")
	}
	if len(s.Layers) > 0 {
		return lambdaapi.InvalidParameterValueException("Layer version %s does not exist: this server has no layers yet.", s.Layers[0])
	}
	if len(s.FileSystems) > 0 {
		return lambdaapi.InvalidParameterValueException("This server has no file systems to mount.")
	}
	return checkEnvironment(s.Environment)
}

func size(e *lambdaapi.EphemeralStorage) *int32 {
	if e == nil {
		return nil
	}
	return e.Size
}

func between(name string, v *int32, low, top int32) error {
	switch {
	case v != nil && *v < low:
		return model.ValidationException("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", *v, name, low)
	case v != nil && *v > top:
		return model.ValidationException("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", *v, name, top)
	}
	return nil
}

func checkRuntime(name string) error {
	if name == "" || slices.Contains(runtimes, name) {
		return nil
	}
	if slices.ContainsFunc(notHere, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return lambdaapi.InvalidParameterValueException("The runtime parameter of %s is not supported by this server. It runs functions with a python3, nodejs or provided runtime.", name)
	}
	return lambdaapi.InvalidParameterValueException("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", name, strings.Join(runtimes, ", "))
}

// reserved are variables that a function gets and cannot set.
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

func checkEnvironment(e *lambdaapi.Environment) error {
	if e == nil {
		return nil
	}
	const begin = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	var taken []string
	for _, k := range slices.Sorted(maps.Keys(e.Variables)) {
		if slices.Contains(reserved, k) {
			taken = append(taken, k)
		}
	}
	if len(taken) > 0 {
		return lambdaapi.InvalidParameterValueException(begin+"contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(taken, ", "))
	}
	text, err := json.Marshal(e.Variables)
	if err != nil {
		return err
	}
	if len(text) > 4096 {
		return lambdaapi.InvalidParameterValueException(begin+"exceeded the 4KB limit. String measured: %s", text)
	}
	return nil
}
