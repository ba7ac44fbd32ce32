package rulebench

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/rulefile"
)

// Put puts a rule, with its function, or replaces it by what is written now.
// Code that did not change is not put again.
func (b *Bench) Put(ctx context.Context, r rulefile.Rule) error {
	source := shape{"Owner": config.OwnerLambda}
	switch r.Kind {
	case rulefile.Function:
		arn, err := b.putFunction(ctx, r)
		if err != nil {
			return err
		}
		source["SourceIdentifier"] = arn
	case rulefile.Policy:
		text, err := r.Content()
		if err != nil {
			return err
		}
		source = shape{"Owner": config.OwnerPolicy, "CustomPolicyDetails": shape{"PolicyRuntime": "guard-2.x.x", "PolicyText": string(text)}}
	case rulefile.Managed:
		source = shape{"Owner": config.OwnerAWS, "SourceIdentifier": r.Identifier}
	default:
		return fmt.Errorf("%s is evaluated by this program alone: a server takes no rule files", r.Path)
	}
	return b.putRule(ctx, r, source)
}

func (b *Bench) putRule(ctx context.Context, r rulefile.Rule, source shape) error {
	if details := triggers(r); len(details) > 0 && r.Kind != rulefile.Managed {
		source["SourceDetails"] = details
	}
	rule := shape{"ConfigRuleName": r.Name, "Source": source}
	if len(r.Types) > 0 {
		types := make([]any, len(r.Types))
		for i, t := range r.Types {
			types[i] = t
		}
		rule["Scope"] = shape{"ComplianceResourceTypes": types}
	}
	parameters, err := r.InputParameters()
	if err != nil {
		return err
	}
	if parameters != "" {
		rule["InputParameters"] = parameters
	}
	_, err = b.client.Call(ctx, "config", "PutConfigRule", shape{"ConfigRule": rule})
	return err
}

// triggers are the messages that a custom rule asks for.
func triggers(r rulefile.Rule) (details []any) {
	if r.OnChange() {
		details = append(details, trigger(config.MessageChange, ""), trigger(config.MessageOversized, ""))
	}
	if r.Frequency != "" {
		details = append(details, trigger(config.MessageScheduled, r.Frequency))
	}
	return details
}

func trigger(message, frequency string) shape {
	s := shape{"EventSource": "aws.config", "MessageType": message}
	if frequency != "" {
		s["MaximumExecutionFrequency"] = frequency
	}
	return s
}

// putFunction makes the function of a rule, or gives it new code.
func (b *Bench) putFunction(ctx context.Context, r rulefile.Rule) (arn string, err error) {
	code, err := r.Code(ctx)
	if err != nil {
		return "", err
	}
	arn = fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", b.Region, b.Account, r.Name)
	how := fmt.Sprintf("%s %s %d %d %v", r.Runtime, r.Handler, r.Timeout, r.Memory, r.Variables)
	now := put{code.Digest(), how}
	before, known := b.put[r.Name]
	if known && before == now {
		return arn, nil
	}
	settings := shape{
		"FunctionName": r.Name, "Role": "arn:aws:iam::" + b.Account + ":role/rule", "Runtime": r.Runtime, "Handler": r.Handler,
		"Timeout": r.Timeout, "MemorySize": r.Memory,
	}
	if b.coverage != nil || len(r.Variables) > 0 {
		variables := shape{}
		if b.coverage != nil {
			variables["PLUMB_COVERAGE"] = "1"
		}
		for k, v := range r.Variables {
			variables[k] = v
		}
		settings["Environment"] = shape{"Variables": variables}
	}
	if !known {
		known, err = b.createFunction(ctx, r, settings, code)
	}
	if err == nil && known && (b.app == nil || before.how != how) { // others may have changed what a running server has
		_, err = b.client.Call(ctx, "lambda", "UpdateFunctionConfiguration", settings)
	}
	if err == nil && known {
		err = b.updateCode(ctx, r.Name, code)
	}
	if err == nil {
		b.put[r.Name] = now
	}
	return arn, err
}

// updateCode gives a function new code. A throw-away server takes a program as it is:
// packing, sending, keeping and unpacking it took a third of the time from a save to
// the verdict.
func (b *Bench) updateCode(ctx context.Context, function string, code rulefile.Code) error {
	if b.app != nil && code.Program != nil {
		return b.app.PutProgram(ctx, b.Place, function, code.Program)
	}
	archive, err := code.Archive()
	if err == nil {
		_, err = b.client.Call(ctx, "lambda", "UpdateFunctionCode", shape{"FunctionName": function, "ZipFile": archive})
	}
	return err
}

// createFunction makes a function that AWS Config may invoke, and reports whether
// it is there already.
func (b *Bench) createFunction(ctx context.Context, r rulefile.Rule, settings shape, code rulefile.Code) (exists bool, err error) {
	archive, err := code.Archive()
	if err != nil {
		return false, err
	}
	create := maps.Clone(settings)
	create["Code"] = shape{"ZipFile": archive}
	_, err = b.client.Call(ctx, "lambda", "CreateFunction", create)
	if e, ok := errors.AsType[*awsclient.Error](err); ok && e.Code == "ResourceConflictException" {
		return true, nil
	}
	if err == nil {
		_, err = b.client.Call(ctx, "lambda", "AddPermission", shape{
			"FunctionName": r.Name, "StatementId": "config", "Action": "lambda:InvokeFunction",
			"Principal": "config.amazonaws.com", "SourceAccount": b.Account,
		})
	}
	return false, err
}
