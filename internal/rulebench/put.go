package rulebench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

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
	digest := fmt.Sprintf("%x %s %s %d %d %v", sha256.Sum256(code), r.Runtime, r.Handler, r.Timeout, r.Memory, slices.Sorted(maps.Keys(r.Variables)))
	if b.put[r.Name] == digest {
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
	create := maps.Clone(settings)
	create["Code"] = shape{"ZipFile": code}
	_, err = b.client.Call(ctx, "lambda", "CreateFunction", create)
	if e, ok := errors.AsType[*awsclient.Error](err); ok && e.Code == "ResourceConflictException" {
		if _, err = b.client.Call(ctx, "lambda", "UpdateFunctionConfiguration", settings); err == nil {
			_, err = b.client.Call(ctx, "lambda", "UpdateFunctionCode", shape{"FunctionName": r.Name, "ZipFile": code})
		}
	} else if err == nil {
		_, err = b.client.Call(ctx, "lambda", "AddPermission", shape{
			"FunctionName": r.Name, "StatementId": "config", "Action": "lambda:InvokeFunction",
			"Principal": "config.amazonaws.com", "SourceAccount": b.Account,
		})
	}
	if err == nil {
		b.put[r.Name] = digest
	}
	return arn, err
}
