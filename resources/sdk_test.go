package resources_test

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/models"
)

// Our client reads answers by AWS's models, AWS's SDK by code made of them. They must read the same. EC2 and DynamoDB are
// not compared: their SDK modules are larger than all the rest of this program.
func TestTheSDKReadsRecordedAnswersAsWeDo(t *testing.T) {
	cat, m := load(t), awsclient.NewModels(models.FS)
	compared := 0
	for _, info := range cat.Types() {
		examples, err := cat.Examples(info.Type)
		if err != nil {
			t.Fatal(err)
		}
		for _, ex := range examples {
			for _, rec := range ex.Answers {
				client := sdkClient(info.Service, rec.Body)
				if client == nil || rec.Error != "" {
					continue
				}
				theirs := sdkCall(t, client, rec.Call)
				ours, err := m.Decode(info.Service, rec.Call, http.StatusOK, nil, []byte(rec.Body))
				if err != nil {
					t.Errorf("%s: %v", rec.Call, err)
				}
				if got := plain(reflect.ValueOf(ours)); !reflect.DeepEqual(got, theirs) {
					t.Errorf("%s of %s:\n ours %v\ntheirs %v", rec.Call, info.Type, got, theirs)
				}
				compared++
			}
		}
	}
	if compared < 35 {
		t.Errorf("only %d answers were compared", compared)
	}
}

func sdkClient(service, body string) any {
	cfg := aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		BaseEndpoint: new("http://127.0.0.1:1"), HTTPClient: canned(body),
	}
	switch service {
	case "iam":
		return iam.NewFromConfig(cfg)
	case "lambda":
		return lambda.NewFromConfig(cfg)
	case "s3":
		return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	case "sns":
		return sns.NewFromConfig(cfg)
	case "sqs":
		return sqs.NewFromConfig(cfg)
	}
	return nil
}

// canned answers every request with one body.
type canned string

func (c canned) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(string(c))),
	}, nil
}

// sdkCall calls the method with an input whose texts are all filled: none is missing, and nobody reads them.
func sdkCall(t *testing.T, client any, operation string) any {
	t.Helper()
	method := reflect.ValueOf(client).MethodByName(operation)
	in := reflect.New(method.Type().In(1).Elem())
	for i := range in.Elem().NumField() {
		if f := in.Elem().Field(i); f.Type() == reflect.TypeFor[*string]() {
			f.Set(reflect.ValueOf(new("xxx")))
		}
	}
	out := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), in})
	if err, _ := out[1].Interface().(error); err != nil {
		t.Fatalf("%s through the SDK: %v", operation, err)
	}
	return plain(out[0])
}

// plain turns structures into maps, and leaves out what is zero or empty: the SDK does not tell it from absent.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Struct:
		return plainStruct(v)
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			if e := plain(v.MapIndex(k)); e != nil {
				out[k.String()] = e
			}
		}
		return orNil(out, len(out))
	case reflect.Slice:
		out := []any{}
		for i := range v.Len() {
			out = append(out, plain(v.Index(i)))
		}
		return orNil(out, len(out))
	case reflect.String:
		return orNil(v.String(), v.Len())
	case reflect.Int32, reflect.Int64:
		return orNil(v.Int(), int(v.Int()))
	case reflect.Bool:
		if v.Bool() {
			return true
		}
	case reflect.Float64:
		return v.Float()
	}
	return nil
}

func plainStruct(v reflect.Value) any {
	if at, ok := v.Interface().(time.Time); ok {
		return config.FormatTime(at)
	}
	out := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		if e := plain(v.Field(i)); e != nil {
			out[f.Name] = e
		}
	}
	return orNil(out, len(out))
}

func orNil(v any, n int) any {
	if n == 0 {
		return nil
	}
	return v
}
