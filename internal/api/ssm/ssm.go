// Package ssm is the embedded part of Systems Manager's API that Automation needs:
// documents and their executions. It checks what a request means, asks package
// automation, and answers in AWS's shapes. It keeps nothing.
package ssm

import (
	"errors"
	"fmt"

	"plumb/internal/automation"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/ssmapi"
	"plumb/internal/wire"
)

// New returns Systems Manager with its operations bound to an engine.
func New(d *db.DB, e *automation.Engine, tokens wire.Tokens) *model.Registry {
	s := ssmapi.NewService()
	register(s, operations{d, e, tokens})
	return s.Registry()
}

// register is the table of contents.
func register(s *ssmapi.Service, o operations) {
	s.CreateDocument(o.CreateDocument)
	s.UpdateDocument(o.UpdateDocument)
	s.UpdateDocumentDefaultVersion(o.UpdateDocumentDefaultVersion)
	s.DeleteDocument(o.DeleteDocument)
	s.GetDocument(o.GetDocument)
	s.DescribeDocument(o.DescribeDocument)
	s.ListDocuments(o.ListDocuments)

	s.StartAutomationExecution(o.StartAutomationExecution)
	s.StopAutomationExecution(o.StopAutomationExecution)
	s.GetAutomationExecution(o.GetAutomationExecution)
	s.DescribeAutomationExecutions(o.DescribeAutomationExecutions)
	s.DescribeAutomationStepExecutions(o.DescribeAutomationStepExecutions)
}

type operations struct {
	db     *db.DB
	engine *automation.Engine
	tokens wire.Tokens
}

// text returns what a pointer points to, or nothing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// optional returns a pointer to s, or nil if it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// limit returns how many entries a page has.
func limit(n *int32, byDefault int) int {
	if n == nil || *n == 0 {
		return byDefault
	}
	return int(*n)
}

// documentError returns the error that AWS names for one of a document.
func documentError(err error, name string) error {
	if _, named := errors.AsType[*model.Error](err); named {
		return err
	}
	switch {
	case errors.Is(err, automation.ErrNotFound):
		return ssmapi.InvalidDocument("Document with name %s does not exist.", name)
	case errors.Is(err, automation.ErrExists):
		return ssmapi.DocumentAlreadyExists("Document with same name %s already exists", name)
	case errors.Is(err, automation.ErrSame):
		return ssmapi.DuplicateDocumentContent("The content of the document is the same as the content of its latest version.")
	case errors.Is(err, automation.ErrDocuments):
		return ssmapi.DocumentLimitExceeded("The account has as many documents as it may have in a region.")
	case errors.Is(err, automation.ErrVersions):
		return ssmapi.DocumentVersionLimitExceeded("The document %s has as many versions as a document may have.", name)
	case err != nil:
		return fmt.Errorf("document %s: %w", name, err)
	}
	return nil
}
