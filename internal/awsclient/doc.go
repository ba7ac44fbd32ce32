// Package awsclient calls AWS services, or anything that speaks as they do. One client serves every service: the stripped
// models say how a request is written, signed and read, so a new service costs a file of descriptions and no SDK module.
//
// What is ours is the wire format; the signature, the credential chain and the retry policy are the AWS SDK's. Nothing is
// stored. Answers come as map[string]any keyed by the model's member names, whatever the wire called them, with strings,
// bool, int64, float64, lists and maps inside. Times are text in config.TimeLayout, binary members are base64 text, and
// the binary body of an answer is []byte.
//
//	c := awsclient.New(awsclient.Options{Region: "eu-west-1", Credentials: awsclient.Static(id, secret, "")})
//	for page, err := range c.Pages(ctx, "ec2", "DescribeVpcs", map[string]any{"MaxResults": 1000}) {
//
// Pages and All fail rather than answer in part: a page that is announced and cannot be had is an error. A caller that
// marks resources deleted because they are not in an answer depends on it.
package awsclient
