// Package automation runs SSM Automation documents of schema 0.3: it parses them,
// keeps those that people make, and carries out their steps one after another.
//
// It knows nothing of AWS Config, and calls no service itself: Call and Script
// are handed in. A step is a job, and what it brought is committed with the job of
// the next one, so that a restart goes on where the last one ended. A step that a
// crash cut off runs again. Nothing sleeps: waiting is a job that is due later.
//
// It keeps documents, executions and their steps.
//
//	doc, err := automation.Parse(text)
//	id, err := engine.Start(ctx, tx, automation.Request{Place: p, Document: "AWS-ConfigureS3BucketVersioning", ...})
package automation
