package wire_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/model/snsapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/model/stsapi"
	"plumb/internal/wire"
)

// A service is any generated Service.
type service interface{ Registry() *model.Registry }

const (
	accessKey = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

func secrets(_ context.Context, id string) (string, caller.Identity, error) {
	if id != accessKey {
		return "", caller.Identity{}, caller.ErrUnknownKey
	}
	return secretKey, caller.Identity{Account: "111122223333", PrincipalARN: "arn:aws:iam::111122223333:user/dana"}, nil
}

// start serves one service, with signatures checked.
func start(t *testing.T, s service, change func(*wire.Options)) (url string) {
	t.Helper()
	o := wire.Options{
		Services: []*model.Registry{s.Registry()}, Verify: true, Secrets: secrets, DefaultRegion: "us-east-1",
	}
	if change != nil {
		change(&o)
	}
	server := httptest.NewServer(wire.New(slog.New(slog.DiscardHandler), o))
	t.Cleanup(server.Close)
	return server.URL
}

func awsConfig(url string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(url),
		Credentials:      credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		RetryMaxAttempts: 1,
	}
}

// echo binds every operation of a service to a handler that keeps its input and answers a filled output.
type echo struct {
	in  map[string]reflect.Value
	out map[string]reflect.Value
}

func bindAll(s service, each func(*model.Route)) *echo {
	e := &echo{map[string]reflect.Value{}, map[string]reflect.Value{}}
	v := reflect.ValueOf(s)
	for _, route := range s.Registry().Routes() {
		bind := v.MethodByName(strings.ToUpper(route.Operation[:1]) + route.Operation[1:])
		handle := bind.Type().In(0)
		bind.Call([]reflect.Value{reflect.MakeFunc(handle, func(args []reflect.Value) []reflect.Value {
			out := reflect.New(handle.Out(0).Elem())
			(&filler{}).fill(out.Elem(), 0)
			e.in[route.Operation], e.out[route.Operation] = args[1], out
			return []reflect.Value{out, reflect.Zero(handle.Out(1))}
		})})
		each(route)
	}
	return e
}

// unchecked: the values of a filler are not valid, and need not be.
func unchecked(r *model.Route) { r.Check = func(any, *model.Checker) {} }

// Operations whose outputs are event streams, which are not served.
var streams = map[string]bool{"InvokeWithResponseStream": true}

func testClient(t *testing.T, s service, client any, echoed *echo) {
	v := reflect.ValueOf(client)
	called := 0
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		m := v.Method(i)
		if m.Type().NumIn() != 3 || m.Type().NumOut() != 2 || streams[name] {
			continue
		}
		if _, known := s.Registry().Route(name); !known {
			t.Logf("%s is newer than the model", name)
			continue
		}
		called++
		t.Run(name, func(t *testing.T) { testOperation(t, s, name, m, echoed) })
	}
	if want := len(s.Registry().Routes()); called < want-len(streams) {
		t.Errorf("the SDK has %d operations, the model %d", called, want)
	}
}

func testOperation(t *testing.T, s service, name string, call reflect.Value, echoed *echo) {
	in := reflect.New(call.Type().In(1).Elem())
	(&filler{}).fill(in.Elem(), 0)
	result := call.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
	if err, _ := result[1].Interface().(error); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	sent := without(t, name, dump(in), echoed.in[name].Type())
	if want, got := sent, dump(echoed.in[name]); !reflect.DeepEqual(want, got) {
		t.Errorf("input\n sent %v\n read %v", want, got)
	}
	route, _ := s.Registry().Route(name)
	if route.NoOutput || route.Status == 204 {
		return
	}
	want := dump(echoed.out[name])
	if got := dump(result[0]); !reflect.DeepEqual(want, got) {
		t.Errorf("output\n sent %v\n read %v", want, got)
	}
}

func TestEveryOperationOfConfigPassesThroughTheSDK(t *testing.T) {
	s := configapi.NewService()
	echoed := bindAll(s, unchecked)
	testClient(t, s, configservice.NewFromConfig(awsConfig(start(t, s, nil))), echoed)
}

func TestEveryOperationOfLambdaPassesThroughTheSDK(t *testing.T) {
	s := lambdaapi.NewService()
	echoed := bindAll(s, unchecked)
	testClient(t, s, lambda.NewFromConfig(awsConfig(start(t, s, nil))), echoed)
}

func TestEveryOperationOfSNSPassesThroughTheSDK(t *testing.T) {
	s := snsapi.NewService()
	echoed := bindAll(s, unchecked)
	testClient(t, s, sns.NewFromConfig(awsConfig(start(t, s, nil))), echoed)
}

func TestEveryOperationOfSQSPassesThroughTheSDK(t *testing.T) {
	s := sqsapi.NewService()
	echoed := bindAll(s, unchecked)
	client := sqs.NewFromConfig(awsConfig(start(t, s, nil)), func(o *sqs.Options) {
		o.DisableMessageChecksumValidation = true
	})
	testClient(t, s, client, echoed)
}

func TestEveryOperationOfSTSPassesThroughTheSDK(t *testing.T) {
	s := stsapi.NewService()
	echoed := bindAll(s, unchecked)
	// Two operations of STS are called before there are credentials.
	url := start(t, s, func(o *wire.Options) { o.Verify = false })
	testClient(t, s, sts.NewFromConfig(awsConfig(url)), echoed)
}
