package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"plumb/internal/model"
)

// source is the part of a botocore model that is not yet in our shape.
type source struct {
	Metadata struct {
		model.Metadata
		AWSQueryCompatible json.RawMessage `json:"awsQueryCompatible"`
	} `json:"metadata"`
	Operations map[string]sourceOperation `json:"operations"`
	Shapes     map[string]sourceShape     `json:"shapes"`
}

type sourceOperation struct {
	HTTP struct {
		Method       string `json:"method"`
		RequestURI   string `json:"requestUri"`
		ResponseCode int    `json:"responseCode"`
	} `json:"http"`
	Input    *model.Ref `json:"input"`
	Output   *model.Ref `json:"output"`
	Errors   []model.Ref
	AuthType string `json:"authtype"`
	Endpoint struct {
		HostPrefix string `json:"hostPrefix"`
	} `json:"endpoint"`
	UnsignedPayload bool `json:"unsignedPayload"`
	HTTPChecksum    struct {
		RequestChecksumRequired bool `json:"requestChecksumRequired"`
	} `json:"httpChecksum"`
	HTTPChecksumRequired bool `json:"httpChecksumRequired"`
	Deprecated           bool `json:"deprecated"`
}

// sourceShape overrides what differs: members are an object, and their order counts.
type sourceShape struct {
	model.Shape
	Members ordered `json:"members"`
}

// ordered is a JSON object that remembers the order of its keys.
type ordered []*model.Member

func (o *ordered) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := &model.Member{Name: name.(string)}
		if err := d.Decode(&m.Ref); err != nil {
			return fmt.Errorf("member %s: %w", m.Name, err)
		}
		*o = append(*o, m)
	}
	return nil
}

// words is a JSON string or list of strings, as paginators spell tokens and result keys.
type words []string

func (w *words) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(w))
}

type sourcePaginator struct {
	InputToken  words  `json:"input_token"`
	OutputToken words  `json:"output_token"`
	LimitKey    string `json:"limit_key"`
	ResultKey   words  `json:"result_key"`
	MoreResults string `json:"more_results"`
}

// readSource reads FILE.json.gz or FILE.json: which of the two a model has differs from file to file.
func readSource(dir, file string, into any) error {
	f, err := os.Open(filepath.Join(dir, file+".json.gz"))
	zipped := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(filepath.Join(dir, file+".json"))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if zipped {
		if r, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	if err := json.NewDecoder(r).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return nil
}

// readPaginators returns none for a service without paging. The paginators-1.sdk-extras files beside it only list
// members that pages do not share, which nothing here needs.
func readPaginators(dir string) (map[string]sourcePaginator, error) {
	var file struct {
		Pagination map[string]sourcePaginator `json:"pagination"`
	}
	err := readSource(dir, "paginators-1", &file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return file.Pagination, nil
}
