// Command record makes an example for a file of resources/: it discovers the resources of a type at an endpoint, and
// prints the answers it got and the items they made, as YAML. Read it against what AWS Config records before you keep it.
//
//	go run ./internal/resource/record -endpoint http://127.0.0.1:5000 -type AWS::SQS::Queue
//
// With -again it asks nobody: it takes the answers of the examples that the type's file has, and prints the items that they make now.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/resource"
	"plumb/models"
	"plumb/resources"
)

func main() {
	endpoint := flag.String("endpoint", "http://127.0.0.1:5000", "where the services answer")
	typ := flag.String("type", "", "the resource type")
	account := flag.String("account", "123456789012", "the account")
	region := flag.String("region", "us-east-1", "the region")
	again := flag.Bool("again", false, "make the items of the type's own examples anew")
	flag.Parse()
	place := config.Place{Account: *account, Region: *region}
	ctx, err := context.Background(), error(nil)
	if *again {
		err = remake(ctx, os.Stdout, *typ)
	} else {
		err = run(ctx, os.Stdout, *endpoint, *typ, place)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, endpoint, typ string, place config.Place) error {
	m := awsclient.NewModels(models.FS)
	cat, err := resource.Load(resources.FS, m)
	if err != nil {
		return err
	}
	var tape tape
	client := awsclient.New(awsclient.Options{
		Endpoint: endpoint, Region: place.Region, Models: m, Trace: tape.add, Concurrency: 1,
		Credentials: awsclient.Static(place.Account, "test", ""),
	})
	items, err := resource.Collect(cat.Discover(ctx, client, place, typ))
	if err != nil {
		return err
	}
	ex := resource.Example{Name: "recorded", Answers: tape.recorded(m)}
	if ex.Items, err = plain(items); err != nil {
		return err
	}
	return write(w, []resource.Example{ex})
}

// remake runs the examples of a type and prints them with the items that come out.
func remake(ctx context.Context, w io.Writer, typ string) error {
	cat, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		return err
	}
	examples, err := cat.Examples(typ)
	if err != nil {
		return err
	}
	for i, ex := range examples {
		items, err := cat.Run(ctx, typ, ex)
		if err != nil {
			return fmt.Errorf("%s: %w", ex.Name, err)
		}
		if examples[i].Items, err = plain(items); err != nil {
			return err
		}
	}
	return write(w, examples)
}

func plain(items []config.Item) ([]any, error) {
	var all []any
	for _, it := range items {
		p, err := resource.Plain(it)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func write(w io.Writer, examples []resource.Example) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	return enc.Encode(map[string]any{"examples": examples})
}

// A tape keeps what was answered, in order.
type tape struct {
	mu  sync.Mutex
	all []awsclient.Exchange
}

func (t *tape) add(x awsclient.Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, x)
}

// recorded tells answers to the same operation apart by the texts of their inputs.
func (t *tape) recorded(m *awsclient.Models) []resource.Recorded {
	times := map[string]int{}
	for _, x := range t.all {
		times[x.Operation]++
	}
	var out []resource.Recorded
	for _, x := range t.all {
		rec := resource.Recorded{Call: x.Operation, Body: pretty(x.Body)}
		if raw(m, x) {
			rec.Body = string(x.Body)
		}
		if x.Status >= 300 {
			_, err := m.Decode(x.Service, x.Operation, x.Status, x.Header, x.Body)
			rec.Body, rec.Error = "", awsclient.Code(err)
		}
		if times[x.Operation] > 1 {
			rec.With = texts(x.Input)
		}
		out = append(out, rec)
	}
	return out
}

func texts(in map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// raw says whether the body is a text of its own, which must not be touched.
func raw(m *awsclient.Models, x awsclient.Exchange) bool {
	api, err := m.API(x.Service)
	if err != nil {
		return false
	}
	out := api.Operations[x.Operation].Output
	return out != nil && out.Shape.Payload != "" && out.Shape.Lookup(out.Shape.Payload).Shape.Type == "string"
}

// pretty puts elements on lines of their own. A body that is neither XML nor JSON stays as it is.
func pretty(b []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, b, "", "  ") == nil {
		return out.String()
	}
	s, err := indentXML(b)
	if err != nil {
		return string(b)
	}
	return s
}

// indentXML moves the tags and leaves them as they were written: an encoder would make other prefixes of namespaces.
func indentXML(b []byte) (string, error) {
	var out strings.Builder
	d := xml.NewDecoder(bytes.NewReader(b))
	depth, inline := 0, true
	for at := int64(0); ; at = d.InputOffset() {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return "", err
		}
		text := string(b[at:d.InputOffset()])
		switch tok.(type) {
		case xml.StartElement:
			newLine(&out, depth)
			depth, inline = depth+1, true
		case xml.EndElement:
			if depth--; !inline && text != "" { // <x/> ends with a token of no text
				newLine(&out, depth)
			}
			inline = false
		case xml.CharData:
			if strings.TrimSpace(text) == "" {
				text = ""
			}
		default:
			text = ""
		}
		out.WriteString(text)
	}
}

func newLine(out *strings.Builder, depth int) {
	if out.Len() > 0 {
		out.WriteString("\n" + strings.Repeat("  ", depth))
	}
}
