package kind

import (
	"context"
	"slices"

	"plumb/internal/arn"
)

// bucketTypes are those of S3.
func bucketTypes() map[string]Type {
	return map[string]Type{
		"AWS::S3::Bucket": {
			Service: "S3", Naming: Naming{Property: "BucketName", Max: 63, Lower: true}, Fixed: []string{"BucketName", "ObjectLockEnabled"},
			Create: createBucket, Update: configureBucket, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "s3", "DeleteBucket", map[string]any{"Bucket": r.Physical})
				return absent(err)
			},
		},
		"AWS::S3::BucketPolicy": {
			Service: "S3", Fixed: []string{"Bucket"}, Create: putBucketPolicy, Update: putBucketPolicy,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "s3", "DeleteBucketPolicy", map[string]any{"Bucket": r.Physical})
				return absent(err)
			},
		},
	}
}

func putBucketPolicy(ctx context.Context, r *Request) error {
	if err := r.only("Bucket", "PolicyDocument"); err != nil {
		return err
	}
	r.Physical = r.text("Bucket")
	_, err := r.send(ctx, "s3", "PutBucketPolicy", map[string]any{"Bucket": r.Physical, "Policy": r.Properties["PolicyDocument"]})
	return err
}

// A bucketPart is a property of a bucket that one operation sets and another one
// takes away.
type bucketPart struct {
	property string
	put      string // the operation
	member   string // of its input
	remove   string // the operation, empty if it cannot be taken away
	convert  func(v any) any
}

func bucketParts() []bucketPart {
	return []bucketPart{
		{property: "VersioningConfiguration", put: "PutBucketVersioning", member: "VersioningConfiguration"},
		{property: "BucketEncryption", put: "PutBucketEncryption", member: "ServerSideEncryptionConfiguration", remove: "DeleteBucketEncryption", convert: encryption},
		{property: "PublicAccessBlockConfiguration", put: "PutPublicAccessBlock", member: "PublicAccessBlockConfiguration", remove: "DeletePublicAccessBlock"},
		{property: "OwnershipControls", put: "PutBucketOwnershipControls", member: "OwnershipControls", remove: "DeleteBucketOwnershipControls"},
		{property: "LoggingConfiguration", put: "PutBucketLogging", member: "BucketLoggingStatus", convert: logging},
		{property: "LifecycleConfiguration", put: "PutBucketLifecycleConfiguration", member: "LifecycleConfiguration", remove: "DeleteBucketLifecycle", convert: lifecycle},
		{property: "CorsConfiguration", put: "PutBucketCors", member: "CORSConfiguration", remove: "DeleteBucketCors", convert: cors},
		{property: "NotificationConfiguration", put: "PutBucketNotificationConfiguration", member: "NotificationConfiguration", convert: notification},
		{property: "WebsiteConfiguration", put: "PutBucketWebsite", member: "WebsiteConfiguration", remove: "DeleteBucketWebsite", convert: website},
	}
}

func createBucket(ctx context.Context, r *Request) error {
	known := []string{"BucketName", "Tags", "AccessControl", "ObjectLockEnabled"}
	for _, p := range bucketParts() {
		known = append(known, p.property)
	}
	if err := r.only(known...); err != nil {
		return err
	}
	name := r.name("BucketName")
	in := map[string]any{"Bucket": name}
	if r.Place.Region != "us-east-1" {
		in["CreateBucketConfiguration"] = map[string]any{"LocationConstraint": r.Place.Region}
	}
	if v, ok := cannedACL(r.text("AccessControl")); ok {
		in["ACL"] = v
	}
	set(in, "ObjectLockEnabledForBucket", r.Properties, "ObjectLockEnabled")
	if !r.Again {
		// In us-east-1 one's own bucket can be created again.
		if _, err := r.send(ctx, "s3", "HeadBucket", map[string]any{"Bucket": name}); err == nil {
			return refuse(AlreadyExists, "%s already exists", name)
		}
	}
	if _, err := r.send(ctx, "s3", "CreateBucket", in); r.mine(err) != nil {
		return err
	}
	r.Physical = name
	domain := arn.Domain(r.Place.Region)
	r.Attributes = map[string]any{
		"Arn": "arn:" + arn.Partition(r.Place.Region) + ":s3:::" + name, "DomainName": name + ".s3." + domain,
		"RegionalDomainName": name + ".s3." + r.Place.Region + "." + domain, "DualStackDomainName": name + ".s3.dualstack." + r.Place.Region + "." + domain,
		"WebsiteURL": "http://" + name + ".s3-website-" + r.Place.Region + "." + domain,
	}
	return configureBucket(ctx, r)
}

// cannedACL spells a canned list as the API does: LogDeliveryWrite is
// log-delivery-write.
func cannedACL(s string) (string, bool) {
	var out []byte
	for i, c := range []byte(s) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				out = append(out, '-')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out), len(out) > 0
}

// configureBucket sets what the properties say and takes away what they no
// longer say.
func configureBucket(ctx context.Context, r *Request) error {
	for _, p := range bucketParts() {
		if !r.changed(p.property) {
			continue
		}
		v, ok := r.Properties[p.property]
		in := map[string]any{"Bucket": r.Physical}
		operation := p.put
		switch {
		case ok && p.convert != nil:
			in[p.member] = p.convert(v)
		case ok:
			in[p.member] = v
		case p.remove != "":
			operation = p.remove
		case p.property == "VersioningConfiguration":
			in[p.member] = map[string]any{"Status": "Suspended"}
		default:
			in[p.member] = map[string]any{}
		}
		if _, err := r.send(ctx, "s3", operation, in); err != nil {
			return err
		}
	}
	if tags := r.tags("Tags"); len(tags) > 0 {
		_, err := r.send(ctx, "s3", "PutBucketTagging", map[string]any{"Bucket": r.Physical, "Tagging": map[string]any{"TagSet": tagList(tags)}})
		return err
	} else if len(r.oldTags("Tags")) > 0 {
		_, err := r.send(ctx, "s3", "DeleteBucketTagging", map[string]any{"Bucket": r.Physical})
		return err
	}
	return nil
}

// rename gives members of a mapping the names that the API has.
func rename(v any, names map[string]string) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for k, item := range m {
		if n, ok := names[k]; ok {
			k = n
		}
		out[k] = item
	}
	return out
}

// each converts the elements of a member that is a list.
func each(v any, member string, convert func(any) any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	list, ok := m[member].([]any)
	if !ok {
		return v
	}
	out := without(m)
	list = slices.Clone(list)
	for i, item := range list {
		list[i] = convert(item)
	}
	out[member] = list
	return out
}

func encryption(v any) any {
	v = rename(v, map[string]string{"ServerSideEncryptionConfiguration": "Rules"})
	return each(v, "Rules", func(rule any) any {
		return rename(rule, map[string]string{"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"})
	})
}

func logging(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	enabled := map[string]any{"TargetPrefix": ""}
	set(enabled, "TargetBucket", m, "DestinationBucketName")
	set(enabled, "TargetPrefix", m, "LogFilePrefix")
	set(enabled, "TargetObjectKeyFormat", m, "TargetObjectKeyFormat")
	return map[string]any{"LoggingEnabled": enabled}
}

func cors(v any) any {
	return each(v, "CorsRules", func(rule any) any {
		return rename(rule, map[string]string{"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"})
	})
}

// notification puts the one event and the filter of each destination below the
// names of the API.
func notification(v any) any {
	for list, words := range map[string][3]string{
		"LambdaConfigurations": {"Function", "LambdaFunctionArn", "LambdaFunctionConfigurations"}, "QueueConfigurations": {"Queue", "QueueArn", "QueueConfigurations"},
		"TopicConfigurations": {"Topic", "TopicArn", "TopicConfigurations"},
	} {
		v = each(v, list, func(one any) any {
			one = rename(one, map[string]string{words[0]: words[1], "Event": "Events"})
			m, ok := one.(map[string]any)
			if filter, is := m["Filter"].(map[string]any); ok && is {
				key := rename(filter["S3Key"], map[string]string{"Rules": "FilterRules"})
				m = without(m, "Filter")
				m["Filter"] = map[string]any{"Key": key}
				return m
			}
			return one
		})
		v = rename(v, map[string]string{list: words[2]})
	}
	m, ok := v.(map[string]any)
	if !ok || m["EventBridgeConfiguration"] == nil {
		return v
	}
	out := without(m)
	out["EventBridgeConfiguration"] = map[string]any{} // it is there, or it is not
	return out
}

// website puts the texts of a site's documents below the names of the API.
func website(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := without(m, "IndexDocument", "ErrorDocument")
	if s, ok := m["IndexDocument"]; ok {
		out["IndexDocument"] = map[string]any{"Suffix": s}
	}
	if s, ok := m["ErrorDocument"]; ok {
		out["ErrorDocument"] = map[string]any{"Key": s}
	}
	return out
}

// lifecycle puts the flat properties of rules below the names of the API.
func lifecycle(v any) any {
	return each(v, "Rules", func(rule any) any {
		m, ok := rule.(map[string]any)
		if !ok {
			return rule
		}
		out := without(m, "Id", "Prefix", "ExpirationInDays", "ExpirationDate", "ExpiredObjectDeleteMarker", "NoncurrentVersionExpirationInDays", "TagFilters")
		set(out, "ID", m, "Id")
		expiration := map[string]any{}
		set(expiration, "Days", m, "ExpirationInDays")
		set(expiration, "Date", m, "ExpirationDate")
		set(expiration, "ExpiredObjectDeleteMarker", m, "ExpiredObjectDeleteMarker")
		if len(expiration) > 0 {
			out["Expiration"] = expiration
		}
		if days, ok := m["NoncurrentVersionExpirationInDays"]; ok {
			out["NoncurrentVersionExpiration"] = map[string]any{"NoncurrentDays": days}
		}
		out["Filter"] = lifecycleFilter(m)
		for _, list := range []string{"Transitions", "NoncurrentVersionTransitions"} {
			out = each(out, list, func(t any) any {
				days := "Days"
				if list != "Transitions" {
					days = "NoncurrentDays"
				}
				return rename(t, map[string]string{"TransitionInDays": days, "TransitionDate": "Date"})
			}).(map[string]any)
		}
		return out
	})
}

func lifecycleFilter(m map[string]any) any {
	tags, _ := m["TagFilters"].([]any)
	prefix, hasPrefix := m["Prefix"]
	switch {
	case len(tags) == 1 && !hasPrefix:
		return map[string]any{"Tag": tags[0]}
	case len(tags) > 0:
		and := map[string]any{"Tags": tags}
		if hasPrefix {
			and["Prefix"] = prefix
		}
		return map[string]any{"And": and}
	case hasPrefix:
		return map[string]any{"Prefix": prefix}
	}
	return map[string]any{"Prefix": ""}
}
