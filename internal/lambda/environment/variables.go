package environment

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/sandbox"
)

// variables are a process's environment variables.
type variables map[string]string

func (v variables) byDefault(name, value string) {
	if _, ok := v[name]; !ok {
		v[name] = value
	}
}

// prepend puts a folder in front of a list that the function did not set itself.
func (v variables) prepend(name, dir string) {
	v[name] = strings.TrimSuffix(dir+":"+v[name], ":")
}

// list returns NAME=VALUE in the order of names.
func (v variables) list() []string {
	out := make([]string, 0, len(v))
	for _, name := range slices.Sorted(maps.Keys(v)) {
		out = append(out, name+"="+v[name])
	}
	return out
}

// variables returns what AWS gives a function, lowest precedence first: what
// customers may override, their own, the role's credentials, what is reserved.
func (e *environment) variables(where paths, endpoint string, c Credentials) variables {
	f := e.version
	v := variables{
		"LANG":                     "en_US.UTF-8",
		"TZ":                       ":UTC",
		"PATH":                     "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH":          where.task + ":" + where.task + "/lib:" + where.opt + "/lib",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
	}
	if endpoint != "" {
		v["AWS_ENDPOINT_URL"] = endpoint
	}
	if e.pool.box.Level() != sandbox.Namespaces {
		// The host's own folders of these names are out of reach.
		v["HOME"], v["TMPDIR"] = where.tmp, where.tmp
	}
	maps.Copy(v, f.Variables)
	maps.Copy(v, variables{
		"AWS_ACCESS_KEY_ID":     c.ID,
		"AWS_SECRET_ACCESS_KEY": c.Secret,
		"AWS_SESSION_TOKEN":     c.Token,

		"AWS_REGION":                      f.Region,
		"AWS_DEFAULT_REGION":              f.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     f.Number,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       f.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream,
		"_HANDLER":                        f.Handler,
		"LAMBDA_TASK_ROOT":                where.task,
		"LAMBDA_RUNTIME_DIR":              where.runtime,
		"PWD":                             where.task,
		"SHLVL":                           "0",
	})
	if c.Token == "" {
		delete(v, "AWS_SESSION_TOKEN")
	}
	if !strings.HasPrefix(f.Runtime, "provided") {
		v["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + f.Runtime
	}
	if f.LogFormat == "JSON" {
		v["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		v["AWS_LAMBDA_LOG_LEVEL"] = f.LogLevel
	}
	return v
}
