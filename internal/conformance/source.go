package conformance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
)

// A Source says where the template of a pack is: its text, the URI of an object,
// or a document. Exactly one of them is set; the document is the definition's.
type Source struct {
	Body  *string
	S3URI *string
}

// maxObject is how many bytes a template in a bucket may have.
const maxObject = 300 << 10

// read returns the text of a template.
func (p *Packs) read(ctx context.Context, d Definition) (string, error) {
	given := []bool{d.Source.Body != nil, d.Source.S3URI != nil, d.Document != nil}
	given = slices.DeleteFunc(given, func(is bool) bool { return !is })
	if len(given) != 1 {
		return "", configapi.InvalidParameterValueException(
			"You must specify exactly one of the parameters TemplateS3Uri, TemplateBody and TemplateSSMDocumentDetails.")
	}
	switch {
	case d.Source.Body != nil:
		return *d.Source.Body, nil
	case d.Source.S3URI != nil:
		return p.readObject(ctx, d.Place, *d.Source.S3URI)
	default:
		return p.readDocument(ctx, d.Place, *d.Document)
	}
}

func (p *Packs) readObject(ctx context.Context, place config.Place, uri string) (string, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if bucket == "" || key == "" {
		return "", configapi.InvalidParameterValueException("The TemplateS3Uri %s is not valid: s3://bucketname/prefix is wanted.", uri)
	}
	body, err := p.Object(ctx, place, bucket, key, maxObject)
	if errors.Is(err, ErrTooLarge) {
		return "", configapi.ConformancePackTemplateValidationException("The template %s is larger than %d bytes.", uri, maxObject)
	}
	if err != nil {
		return "", unreadable(uri, err)
	}
	if !utf8.Valid(body) {
		return "", configapi.ConformancePackTemplateValidationException("The template %s is not text in UTF-8.", uri)
	}
	return string(body), nil
}

func (p *Packs) readDocument(ctx context.Context, place config.Place, d config.PackDocument) (string, error) {
	if p.Document == nil {
		return "", configapi.InsufficientPermissionsException(
			"The SSM document %s cannot be read: this server has no document store. Give the template as TemplateBody or TemplateS3Uri.", d.Name)
	}
	text, err := p.Document(ctx, place, d)
	if err != nil {
		return "", unreadable(d.Name, err)
	}
	return text, nil
}

// unreadable returns PutConformancePack's error for what S3 or SSM answered.
func unreadable(what string, err error) error {
	named, ok := errors.AsType[*model.Error](err)
	switch {
	case !ok || named.Fault:
		return err
	case strings.HasPrefix(named.Code, "AccessDenied"), named.Code == "403", named.Code == "AllAccessDisabled":
		return configapi.InsufficientPermissionsException("The template %s cannot be read: %s", what, named.Message)
	default:
		return configapi.ConformancePackTemplateValidationException("The template %s cannot be read: %s", what, named)
	}
}
