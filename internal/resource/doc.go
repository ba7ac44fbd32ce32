// Package resource reads what is out there: it lists and describes the resources of a type and makes configuration items
// of them, as the files in resources/ say.
//
// It does not decide what is recorded, compares nothing with what was recorded before, and stores nothing: Status,
// CaptureTime and StateID of the items are the recorder's. A Discover that ends without an error was complete.
//
//	cat, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
//	place := config.Place{Account: "123456789012", Region: "eu-west-1"}
//	for items, err := range cat.Discover(ctx, client, place, "AWS::EC2::VPC") {
package resource
