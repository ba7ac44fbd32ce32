// Package model says how AWS APIs look on the wire: operations, shapes, constraints, bindings, errors. It reads the
// stripped descriptions that package models embeds, and holds the few words that generated code is made of: Error,
// Checker and Registry.
//
// It is not the wire itself (package wire decodes requests, package awsclient makes them) and it stores nothing. The
// packages below it, configapi and its siblings, are generated from the same descriptions by internal/model/gen:
//
//	api, err := model.Load(models.FS, "ec2")
//	op := api.Operations["DescribeVpcs"]
//	for _, m := range op.Output.Shape.Members { ... }
package model
