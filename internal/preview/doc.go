// Package preview judges resources before they are there: it reads a plan or a
// state of Terraform or a template of CloudFormation, turns each resource into the
// item that AWS Config would record of it, and has rules evaluate it.
//
//	file, err := preview.Read("plan.json", text, preview.Options{})
//	items, err := catalogue.Items(file.Resources)
//	cases := preview.Check(rules, items)
//
// What cannot be known before a resource is there is never guessed: a rule that
// reads it gives no verdict, and the path is told. The files in planned/ say which
// members of an item are known at all. The package stores nothing.
package preview
