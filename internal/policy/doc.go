// Package policy reads AWS policy documents, the JSON language of IAM policies,
// resource policies and trust policies, and answers questions about them: what a
// request may do, what one pattern covers of another, whether strangers get in.
//
// It knows the language and nothing of the services: callers bring action names,
// resource patterns and the request's context. It keeps nothing.
//
//	d, err := policy.Parse(text)
//	decision := d.Evaluate(policy.Request{Principals: ..., Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"})
//
// Actions, condition keys and operators are compared whatever the case. Resources,
// principals and condition values are compared to the letter, as IAM does.
//
// The contract is IAM's "JSON policy element reference" and "policy evaluation
// logic"; Public follows Amazon S3's "The meaning of public".
package policy
