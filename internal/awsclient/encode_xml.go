package awsclient

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"plumb/internal/model"
)

// xmlBody writes a rest-xml body. Its root is named by the use of the shape.
func xmlBody(r *request, ref *model.Ref, v any) error {
	w := &xmlWriter{}
	attr := ""
	if ref.XMLNamespace != nil {
		attr = ` xmlns="` + ref.XMLNamespace.URI + `"`
	}
	if err := w.element(orElse(ref.LocationName, ref.ShapeName), attr, ref, v); err != nil {
		return err
	}
	r.header.Set("Content-Type", "application/xml")
	r.body = w.Bytes()
	return nil
}

type xmlWriter struct{ bytes.Buffer }

func (w *xmlWriter) element(name, attr string, ref *model.Ref, v any) error {
	switch ref.Shape.Type {
	case "structure":
		fmt.Fprintf(w, "<%s%s>", name, attr)
		if err := w.members(ref, v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	case "list":
		return w.list(name, ref, v)
	default:
		s, err := text(ref, v, formatISO)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(w, "<%s%s>", name, attr)
		if err := xml.EscapeText(w, []byte(s)); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "</%s>", name)
	return nil
}

func (w *xmlWriter) members(ref *model.Ref, v any) error {
	in, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%T is no structure", v)
	}
	for k := range in {
		if ref.Shape.Lookup(k) == nil {
			return fmt.Errorf("%s: the operation has no such input", k)
		}
	}
	for _, m := range ref.Shape.Members { // the model's order: S3 accepts any, others do not
		if m.Location != "" || in[m.Name] == nil {
			continue
		}
		if err := w.element(orElse(m.LocationName, m.Name), "", &m.Ref, in[m.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (w *xmlWriter) list(name string, ref *model.Ref, v any) error {
	list, ok := asList(v)
	if !ok {
		return fmt.Errorf("%s: %T is no list", name, v)
	}
	each := orElse(ref.Shape.Member.LocationName, "member")
	if flattened(ref) {
		each = name
	} else {
		fmt.Fprintf(w, "<%s>", name)
		defer fmt.Fprintf(w, "</%s>", name)
	}
	for _, e := range list {
		if err := w.element(each, "", ref.Shape.Member, e); err != nil {
			return err
		}
	}
	return nil
}
