package awsclient

import (
	"fmt"
	"net/url"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/model"
)

// A place to send a request to, and the region to sign it for.
type destination struct {
	url    *url.URL
	region string
}

// endpoint says where a request goes: the given endpoint with the bucket in the path and without an operation's own prefix, or AWS's own.
func (c *Client) endpoint(api *model.API, enc *request) (destination, error) {
	host, region, path := c.hostOf(api.Metadata.EndpointPrefix), c.opt.Region, enc.path
	base := c.opt.Endpoint
	if base == "" {
		if signing := globalRegion(api.Metadata.EndpointPrefix, region); signing != "" {
			region = signing
		}
		if enc.bucket != "" && api.Metadata.EndpointPrefix == "s3" && !c.opt.PathStyle && fitsHost(enc.bucket) {
			host = enc.bucket + "." + host
			path = "/" + strings.TrimPrefix(strings.TrimPrefix(path, "/"+escape(enc.bucket, false)), "/")
		}
		base = "https://" + enc.prefix + host
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/") + path)
	if err != nil {
		return destination{}, fmt.Errorf("endpoint %q: %w", base, err)
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return destination{}, fmt.Errorf("endpoint %q is not an http or https URL", base)
	}
	return destination{u, region}, nil
}

// hostOf is AWS's host name of a service: regional, but for the few services that have one endpoint per partition.
func (c *Client) hostOf(prefix string) string {
	region := c.opt.Region
	suffix := "amazonaws.com"
	if arn.Partition(region) == "aws-cn" {
		suffix = "amazonaws.com.cn"
	}
	if globalRegion(prefix, region) != "" {
		switch arn.Partition(region) {
		case "aws-cn":
			return prefix + ".cn-north-1." + suffix
		case "aws-us-gov":
			return prefix + ".us-gov." + suffix
		}
		return prefix + "." + suffix
	}
	switch {
	case c.opt.DualStack && prefix == "s3":
		return "s3.dualstack." + region + "." + suffix
	case c.opt.DualStack:
		return prefix + "." + region + "." + strings.Replace(strings.Replace(suffix,
			"amazonaws.com.cn", "api.amazonwebservices.com.cn", 1), "amazonaws.com", "api.aws", 1)
	}
	return prefix + "." + region + "." + suffix
}

// globalRegion is the region that requests to a global service are signed for; empty for regional services.
func globalRegion(prefix, region string) string {
	switch prefix {
	case "iam", "cloudfront", "organizations", "route53", "shield":
	default:
		return ""
	}
	switch arn.Partition(region) {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// fitsHost says whether a bucket can stand in a host name under AWS's certificate: dots would add a level to it.
func fitsHost(bucket string) bool {
	return len(bucket) >= 3 && len(bucket) <= 63 && strings.Trim(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		!strings.HasPrefix(bucket, "-") && !strings.HasSuffix(bucket, "-")
}
