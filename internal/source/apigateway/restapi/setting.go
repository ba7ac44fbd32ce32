package restapi

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
)

// maxMethodSettings bounds for how many methods a stage has settings.
const maxMethodSettings = 1000

// An account's limits are those of a method for which nothing else is set.
const (
	accountRate  = 10_000
	accountBurst = 5_000
)

// maxCacheTTL is how long an answer may be cached, in seconds.
const maxCacheTTL = 3600

// stageMembers are what patches of a stage change besides settings of methods.
var stageMembers = []string{
	"deploymentId", "description", "cacheClusterEnabled", "cacheClusterSize", "clientCertificateId", "accessLogSettings", "documentationVersion", "variables", "tracingEnabled",
}

// A settingMember is where a patch finds a member of a method's settings.
type settingMember struct{ path, member string }

var settingMembers = []settingMember{
	{"metrics/enabled", "metricsEnabled"},
	{"logging/dataTrace", "dataTraceEnabled"},
	{"logging/loglevel", "loggingLevel"},
	{"throttling/burstLimit", "throttlingBurstLimit"},
	{"throttling/rateLimit", "throttlingRateLimit"},
	{"caching/ttlInSeconds", "cacheTtlInSeconds"},
	{"caching/enabled", "cachingEnabled"},
	{"caching/dataEncrypted", "cacheDataEncrypted"},
	{"caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl"},
	{"caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy"},
}

// PatchStage does what patch operations say to a stage.
func PatchStage(st *apigatewayapi.Stage, operations []apigatewayapi.PatchOperation) error {
	for _, o := range operations {
		first, _, _ := strings.Cut(strings.TrimPrefix(model.Deref(o.Path), "/"), "/")
		var err error
		if slices.Contains(stageMembers, first) && !namesSetting(model.Deref(o.Path)) {
			err = Patch(st, []apigatewayapi.PatchOperation{o}, first)
		} else {
			err = patchSetting(st, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// namesSetting reports whether a path leads to a member of a method's settings: a resource
// may be named like a member of a stage.
func namesSetting(path string) bool {
	_, member, ok := splitSetting(path)
	return ok && member != ""
}

// splitSetting splits /RESOURCE/VERB/group/name into the method and the member of its
// settings, and /RESOURCE/VERB into the method alone. The slashes of the resource may be
// written ~1.
func splitSetting(path string) (method, member string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return "", "", false
	}
	for _, m := range settingMembers {
		if before, found := strings.CutSuffix(rest, "/"+m.path); found {
			rest, member = before, m.member
		}
	}
	i := strings.LastIndexByte(rest, '/')
	if i < 0 {
		return "", "", false
	}
	verb := rest[i+1:]
	return rest, member, verb == "*" || verb != "ANY" && slices.Contains(verbs, verb)
}

func badSetting(path string) error {
	names := make([]string, 0, len(stageMembers)+2*len(settingMembers))
	for _, m := range stageMembers {
		names = append(names, "/"+m)
	}
	for _, method := range []string{"/{resourcePath}/{httpMethod}/", "/*/*/"} {
		for _, m := range settingMembers {
			names = append(names, method+m.path)
		}
	}
	return invalid("Invalid method setting path: %s. Must be one of: [%s]", path, strings.Join(names, ", "))
}

// settingOf is how methods are told apart: an answer has them as they were first written.
func settingOf(written string) string {
	if resource, ok := strings.CutPrefix(written, "*/"); ok {
		return "*/" + resource
	}
	return "/" + strings.TrimLeft(strings.NewReplacer("~1", "/", "~0", "~").Replace(written), "/")
}

func patchSetting(st *apigatewayapi.Stage, o apigatewayapi.PatchOperation) error {
	method, member, ok := splitSetting(model.Deref(o.Path))
	if !ok || member == "" && o.Op != apigatewayapi.OpRemove {
		return badSetting(model.Deref(o.Path))
	}
	for written := range st.MethodSettings {
		if settingOf(written) == settingOf(method) {
			method = written
		}
	}
	setting, there := st.MethodSettings[method]
	if o.Op == apigatewayapi.OpRemove && !there {
		return invalid("Cannot remove method setting %s because there is no method setting for this method", method)
	}
	settings := maps.Clone(st.MethodSettings)
	if settings == nil {
		settings = map[string]apigatewayapi.MethodSetting{}
	}
	st.MethodSettings = settings
	if member == "" {
		delete(settings, method)
		return nil
	}
	if !there && len(settings) >= maxMethodSettings {
		return apigatewayapi.LimitExceededException("Maximum number of method settings for this stage has been reached: %d.", maxMethodSettings)
	}
	o.Path = new("/" + member)
	if err := checkRate(member, o); err != nil {
		return err
	}
	if err := Patch(&setting, []apigatewayapi.PatchOperation{o}, member); err != nil {
		return err
	}
	settleSetting(&setting)
	settings[method] = setting
	return checkSetting(setting)
}

// checkRate refuses a rate that is none: other numbers are read where they are set.
func checkRate(member string, o apigatewayapi.PatchOperation) error {
	if member != "throttlingRateLimit" || o.Op == apigatewayapi.OpRemove {
		return nil
	}
	if v, err := strconv.ParseFloat(model.Deref(o.Value), 64); err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return invalid("Invalid number: %s", model.Deref(o.Value))
	}
	return nil
}

// settleSetting sets what the settings of a method leave out. A logging level is not shown
// before one is set.
func settleSetting(s *apigatewayapi.MethodSetting) {
	for _, flag := range []**bool{&s.MetricsEnabled, &s.DataTraceEnabled, &s.CachingEnabled, &s.CacheDataEncrypted} {
		if *flag == nil {
			*flag = new(false)
		}
	}
	if s.ThrottlingBurstLimit == nil {
		s.ThrottlingBurstLimit = new(int32(accountBurst))
	}
	if s.ThrottlingRateLimit == nil {
		s.ThrottlingRateLimit = new(float64(accountRate))
	}
	if s.CacheTtlInSeconds == nil {
		s.CacheTtlInSeconds = new(int32(300))
	}
	if s.RequireAuthorizationForCacheControl == nil {
		s.RequireAuthorizationForCacheControl = new(true)
	}
	if s.UnauthorizedCacheControlHeaderStrategy == "" {
		s.UnauthorizedCacheControlHeaderStrategy = apigatewayapi.UnauthorizedCacheControlHeaderStrategySucceedWithResponseHeader
	}
}

// checkSetting refuses values that settings cannot have. A limit of -1 is none.
func checkSetting(s apigatewayapi.MethodSetting) error {
	switch {
	case s.LoggingLevel != nil && !slices.Contains([]string{"OFF", "ERROR", "INFO"}, *s.LoggingLevel):
		return invalid("Invalid logging level specified: %s. Must be one of: [OFF, ERROR, INFO]", *s.LoggingLevel)
	case *s.ThrottlingBurstLimit < -1 || *s.ThrottlingRateLimit < 0 && *s.ThrottlingRateLimit != -1:
		return invalid("Throttle rate and burst limits must not be negative")
	case *s.CacheTtlInSeconds < 0 || *s.CacheTtlInSeconds > maxCacheTTL:
		return invalid("Cache TTL must be between 0 and %d seconds", maxCacheTTL)
	case !slices.Contains(s.UnauthorizedCacheControlHeaderStrategy.Values(), s.UnauthorizedCacheControlHeaderStrategy):
		return invalid("Invalid unauthorized cache control header strategy specified: %s", s.UnauthorizedCacheControlHeaderStrategy)
	}
	return nil
}

// limitsOf returns how fast requests to a method of a stage may follow each other; false
// where nothing is set that is less than what the account may. The settings of the method
// itself come before those that name it by a *.
func limitsOf(st apigatewayapi.Stage, path, verb string) (apigatewayapi.ThrottleSettings, bool) {
	found := map[string]apigatewayapi.MethodSetting{}
	for written, setting := range st.MethodSettings {
		found[settingOf(written)] = setting
	}
	for _, method := range []string{path + "/" + verb, path + "/*", "*/" + verb, "*/*"} {
		if method = settingOf(method); found[method].ThrottlingRateLimit != nil {
			s := found[method]
			limits := apigatewayapi.ThrottleSettings{RateLimit: s.ThrottlingRateLimit, BurstLimit: s.ThrottlingBurstLimit}
			if *limits.RateLimit < 0 {
				limits.RateLimit = nil
			}
			if *limits.BurstLimit < 0 {
				limits.BurstLimit = nil
			}
			return limits, *s.ThrottlingRateLimit != accountRate || *s.ThrottlingBurstLimit != accountBurst
		}
	}
	return apigatewayapi.ThrottleSettings{}, false
}
