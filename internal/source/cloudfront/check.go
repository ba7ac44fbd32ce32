package cloudfront

import (
	"context"
	"strings"

	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
)

// orNew returns what is there, or something new.
func orNew[T any](v *T, fresh T) *T {
	if v == nil {
		return &fresh
	}
	return v
}

// none is how many things there are in a list that nobody named.
func none() *int32 { return new(int32(0)) }

// complete adds what CloudFront assumes of a configuration that says nothing.
func complete(c *api.DistributionConfig) {
	c.Aliases = orNew(c.Aliases, api.Aliases{Quantity: none()})
	c.OriginGroups = orNew(c.OriginGroups, api.OriginGroups{Quantity: none()})
	c.CacheBehaviors = orNew(c.CacheBehaviors, api.CacheBehaviors{Quantity: none()})
	c.CustomErrorResponses = orNew(c.CustomErrorResponses, api.CustomErrorResponses{Quantity: none()})
	c.Logging = orNew(c.Logging, api.LoggingConfig{Enabled: new(false), IncludeCookies: new(false)})
	c.ViewerCertificate = orNew(c.ViewerCertificate, api.ViewerCertificate{CloudFrontDefaultCertificate: new(true)})
	c.Restrictions = orNew(c.Restrictions, api.Restrictions{GeoRestriction: &api.GeoRestriction{RestrictionType: "none", Quantity: none()}})
	c.IsIPV6Enabled = orNew(c.IsIPV6Enabled, false)
	if c.PriceClass == "" {
		c.PriceClass = "PriceClass_All"
	}
	if c.HttpVersion == "" {
		c.HttpVersion = "http2"
	}
	for i := range c.Origins.Items {
		o := &c.Origins.Items[i]
		o.OriginPath = orNew(o.OriginPath, "")
		o.CustomHeaders = orNew(o.CustomHeaders, api.CustomHeaders{Quantity: none()})
		o.ConnectionAttempts, o.ConnectionTimeout = orNew(o.ConnectionAttempts, 3), orNew(o.ConnectionTimeout, 10)
		o.OriginShield = orNew(o.OriginShield, api.OriginShield{Enabled: new(false)})
		if k := o.CustomOriginConfig; k != nil {
			k.OriginReadTimeout, k.OriginKeepaliveTimeout = orNew(k.OriginReadTimeout, 30), orNew(k.OriginKeepaliveTimeout, 5)
			k.OriginSslProtocols = orNew(k.OriginSslProtocols, api.OriginSslProtocols{Quantity: new(int32(1)), Items: []api.SslProtocol{"TLSv1.2"}})
		}
	}
	completeBehavior(c.DefaultCacheBehavior)
	for i := range c.CacheBehaviors.Items {
		b := asDefault(c.CacheBehaviors.Items[i])
		completeBehavior(&b)
		c.CacheBehaviors.Items[i] = withPath(*c.CacheBehaviors.Items[i].PathPattern, b)
	}
}

func completeBehavior(b *api.DefaultCacheBehavior) {
	b.TrustedSigners = orNew(b.TrustedSigners, api.TrustedSigners{Enabled: new(false), Quantity: none()})
	b.TrustedKeyGroups = orNew(b.TrustedKeyGroups, api.TrustedKeyGroups{Enabled: new(false), Quantity: none()})
	b.AllowedMethods = orNew(b.AllowedMethods, api.AllowedMethods{Quantity: new(int32(2)), Items: []api.Method{"HEAD", "GET"}})
	b.AllowedMethods.CachedMethods = orNew(b.AllowedMethods.CachedMethods, api.CachedMethods{Quantity: new(int32(2)), Items: []api.Method{"HEAD", "GET"}})
	b.SmoothStreaming, b.Compress = orNew(b.SmoothStreaming, false), orNew(b.Compress, false)
	b.LambdaFunctionAssociations = orNew(b.LambdaFunctionAssociations, api.LambdaFunctionAssociations{Quantity: none()})
	b.FunctionAssociations = orNew(b.FunctionAssociations, api.FunctionAssociations{Quantity: none()})
	if b.ForwardedValues != nil {
		b.ForwardedValues.Headers = orNew(b.ForwardedValues.Headers, api.Headers{Quantity: none()})
		b.ForwardedValues.QueryStringCacheKeys = orNew(b.ForwardedValues.QueryStringCacheKeys, api.QueryStringCacheKeys{Quantity: none()})
		b.MinTTL, b.DefaultTTL, b.MaxTTL = orNew(b.MinTTL, 0), orNew(b.DefaultTTL, 86400), orNew(b.MaxTTL, 31536000)
	}
}

// asDefault and withPath turn a behavior with a path into one without, and back.
func asDefault(b api.CacheBehavior) api.DefaultCacheBehavior {
	return api.DefaultCacheBehavior{
		TargetOriginId: b.TargetOriginId, TrustedSigners: b.TrustedSigners, TrustedKeyGroups: b.TrustedKeyGroups, ViewerProtocolPolicy: b.ViewerProtocolPolicy,
		AllowedMethods: b.AllowedMethods, SmoothStreaming: b.SmoothStreaming, Compress: b.Compress, LambdaFunctionAssociations: b.LambdaFunctionAssociations,
		FunctionAssociations: b.FunctionAssociations, FieldLevelEncryptionId: b.FieldLevelEncryptionId, RealtimeLogConfigArn: b.RealtimeLogConfigArn,
		CachePolicyId: b.CachePolicyId, OriginRequestPolicyId: b.OriginRequestPolicyId, ResponseHeadersPolicyId: b.ResponseHeadersPolicyId, GrpcConfig: b.GrpcConfig,
		ForwardedValues: b.ForwardedValues, MinTTL: b.MinTTL, DefaultTTL: b.DefaultTTL, MaxTTL: b.MaxTTL,
	}
}

func withPath(path string, b api.DefaultCacheBehavior) api.CacheBehavior {
	return api.CacheBehavior{
		PathPattern: &path, TargetOriginId: b.TargetOriginId, TrustedSigners: b.TrustedSigners, TrustedKeyGroups: b.TrustedKeyGroups,
		ViewerProtocolPolicy: b.ViewerProtocolPolicy, AllowedMethods: b.AllowedMethods, SmoothStreaming: b.SmoothStreaming, Compress: b.Compress,
		LambdaFunctionAssociations: b.LambdaFunctionAssociations, FunctionAssociations: b.FunctionAssociations, FieldLevelEncryptionId: b.FieldLevelEncryptionId,
		RealtimeLogConfigArn: b.RealtimeLogConfigArn, CachePolicyId: b.CachePolicyId, OriginRequestPolicyId: b.OriginRequestPolicyId,
		ResponseHeadersPolicyId: b.ResponseHeadersPolicyId, GrpcConfig: b.GrpcConfig, ForwardedValues: b.ForwardedValues,
		MinTTL: b.MinTTL, DefaultTTL: b.DefaultTTL, MaxTTL: b.MaxTTL,
	}
}

// check returns CloudFront's answer to a configuration that cannot be.
func check(ctx context.Context, tx *db.Tx, c *api.DistributionConfig) error {
	quantities := []struct {
		says *int32
		are  int
	}{
		{c.Aliases.Quantity, len(c.Aliases.Items)}, {c.Origins.Quantity, len(c.Origins.Items)}, {c.CacheBehaviors.Quantity, len(c.CacheBehaviors.Items)},
	}
	for _, q := range quantities {
		if int(model.Deref(q.says)) != q.are {
			return api.InconsistentQuantities("The value of Quantity and the size of Items don't match.")
		}
	}
	switch {
	case len(c.Aliases.Items) > 100:
		return api.TooManyDistributionCNAMEs("Your request contains more CNAMEs than are allowed per distribution.")
	case len(c.Origins.Items) > 100:
		return api.TooManyOrigins("You cannot create more origins for the distribution.")
	case len(c.CacheBehaviors.Items) > 75:
		return api.TooManyCacheBehaviors("You cannot create more cache behaviors for the distribution.")
	case model.Deref(c.OriginGroups.Quantity) > 0:
		return api.InvalidArgument("Origin groups are not served here.")
	case model.Deref(c.CustomErrorResponses.Quantity) > 0:
		return api.InvalidArgument("Custom error responses are not served here.")
	case strings.HasPrefix(model.Deref(c.DefaultRootObject), "/"):
		return api.InvalidDefaultRootObject("The default root object file name is too big or contains an invalid character.")
	}
	origins := map[string]bool{}
	for _, o := range c.Origins.Items {
		if (o.S3OriginConfig == nil) == (o.CustomOriginConfig == nil) || *o.DomainName == "" || strings.ContainsAny(*o.DomainName, "/:@?# ") {
			return api.InvalidOrigin("The specified origin server does not exist or is not valid.")
		}
		if p := model.Deref(o.OriginPath); p != "" && (!strings.HasPrefix(p, "/") || strings.HasSuffix(p, "/")) {
			return api.InvalidArgument("The parameter OriginPath is not valid: it begins with a slash and does not end with one.")
		}
		origins[*o.Id] = true
	}
	if err := checkBehavior(ctx, tx, *c.DefaultCacheBehavior, origins); err != nil {
		return err
	}
	for _, b := range c.CacheBehaviors.Items {
		if err := checkBehavior(ctx, tx, asDefault(b), origins); err != nil {
			return err
		}
	}
	return nil
}

func checkBehavior(ctx context.Context, tx *db.Tx, b api.DefaultCacheBehavior, origins map[string]bool) error {
	policy := model.Deref(b.CachePolicyId)
	switch {
	case !origins[*b.TargetOriginId]:
		return api.NoSuchOrigin("One or more of your origins or origin groups do not exist.")
	case policy == "" && b.ForwardedValues == nil:
		return api.InvalidArgument("The parameter ForwardedValues is required.")
	case policy != "" && b.ForwardedValues != nil:
		return api.InvalidArgument("The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior.")
	case policy != "" && !isCachePolicy(policy):
		return api.NoSuchCachePolicy("The cache policy does not exist.")
	case model.Deref(b.OriginRequestPolicyId) != "" && originRequestPolicies[*b.OriginRequestPolicyId] == "":
		return api.NoSuchOriginRequestPolicy("The origin request policy does not exist.")
	case model.Deref(b.ResponseHeadersPolicyId) != "":
		return api.NoSuchResponseHeadersPolicy("The response headers policy does not exist.")
	case model.Deref(b.FunctionAssociations.Quantity) > 0:
		return api.InvalidFunctionAssociation("Functions of CloudFront are not served here: functions of Lambda are.")
	}
	if int(model.Deref(b.LambdaFunctionAssociations.Quantity)) != len(b.LambdaFunctionAssociations.Items) {
		return api.InconsistentQuantities("The value of Quantity and the size of Items don't match.")
	}
	seen := map[api.EventType]bool{}
	for _, a := range b.LambdaFunctionAssociations.Items {
		if seen[a.EventType] {
			return api.InvalidLambdaFunctionAssociation("A cache behavior may have one function for each event type; %s has more.", a.EventType)
		}
		seen[a.EventType] = true
		if err := checkFunction(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

// What a function of a viewer's event, and one of an origin's, may have.
const (
	viewerMemory  = 128
	viewerTimeout = 5
	originTimeout = 30
)

// checkFunction returns CloudFront's answer to a function that cannot be associated.
func checkFunction(ctx context.Context, tx *db.Tx, a api.LambdaFunctionAssociation) error {
	refused := api.InvalidLambdaFunctionAssociation
	r, err := lambda.ParseARN(*a.LambdaFunctionARN)
	switch {
	case err != nil:
		return refused("The function ARN is not valid. ARN: %s", *a.LambdaFunctionARN)
	case r.Region != "us-east-1":
		return refused("The function must be in region 'us-east-1'. ARN: %s", *a.LambdaFunctionARN)
	case r.Qualifier == "" || strings.Trim(r.Qualifier, "0123456789") != "":
		return refused("The function ARN must reference a specific function version. (The ARN must end with the version number.) ARN: %s", *a.LambdaFunctionARN)
	}
	f, err := lambda.Find(ctx, tx, r)
	if model.IsCode(err, "ResourceNotFoundException") {
		return refused("The function does not exist. ARN: %s", *a.LambdaFunctionARN)
	}
	if err != nil {
		return err
	}
	viewer := strings.HasPrefix(string(a.EventType), "viewer-")
	most := originTimeout
	if viewer {
		most = viewerTimeout
	}
	switch {
	case len(f.Environment) > 0:
		return refused("The function cannot have environment variables. Function: %s", *a.LambdaFunctionARN)
	case f.Timeout > most:
		return refused("The function timeout is larger than the maximum allowed for functions that are triggered by a CloudFront event: %d Max allowed: %d Function: %s",
			f.Timeout, most, *a.LambdaFunctionARN)
	case viewer && f.Memory > viewerMemory:
		return refused("The function memory size is larger than the maximum allowed for functions that are triggered by a CloudFront event: %d Max allowed: %d Function: %s",
			f.Memory, viewerMemory, *a.LambdaFunctionARN)
	case !strings.HasPrefix(f.Runtime, "python") && !strings.HasPrefix(f.Runtime, "nodejs"):
		return refused("The function runtime is not supported: %s Function: %s", f.Runtime, *a.LambdaFunctionARN)
	case model.Deref(a.IncludeBody) && strings.HasSuffix(string(a.EventType), "-response"):
		return refused("IncludeBody is valid for request events only. Function: %s", *a.LambdaFunctionARN)
	}
	return nil
}
