// Package resource reads what is out there: it lists and describes the resources of a type and makes configuration items
// of them, as the files in resources/ say.
//
// It does not decide what is recorded, compares nothing with what was recorded before, and stores nothing: Status,
// CaptureTime and StateID of the items are the recorder's. Discover is complete or an error, never in part, so that a
// resource that is missing from its answer is gone.
//
//	cat, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
//	items, err := cat.Discover(ctx, client, config.Place{Account: "123456789012", Region: "eu-west-1"}, "AWS::EC2::VPC")
package resource
