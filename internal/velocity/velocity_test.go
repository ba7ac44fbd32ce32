package velocity

import (
	"errors"
	"strings"
	"testing"
)

type greeter struct{}

func (greeter) Get(name string) any { return map[string]any{"name": "g"}[name] }

func (greeter) Call(name string, args []any) (any, bool, error) {
	if name != "greet" {
		return nil, false, nil
	}
	return "hello " + plain(args[0]), true, nil
}

func values(t testing.TB) map[string]any {
	body, err := ParseJSON(`{"a": 1, "b": {"c": "text", "d": [1, 2.5, true, null]}, "list": [{"n": "x"}, {"n": "y"}], "empty": ""}`)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"body": body, "o": greeter{}}
}

var limits = Limits{Steps: 10_000, Output: 10_000}

func TestTemplatesWriteWhatTheySay(t *testing.T) {
	for source, want := range map[string]string{
		"plain text, 5$ and #1":            "plain text, 5$ and #1",
		`\$body \#set`:                     "$body #set",
		"a ## comment\nb":                  "a b",
		"a#* long\ncomment *#b":            "ab",
		"$body.a ${body.a}x":               "1 1x",
		"$none $!none ${none} $!{none.x}.": "$none  ${none} .",
		"$body.b":                          "{c=text, d=[1, 2.5, true, null]}",
		"$body.b.c.length()":               "4",
		"$body.list[1].n $body.list.get(0).n $body['a']":                              "y x 1",
		"$o.greet('you') $o.name":                                                     "hello you g",
		"$o.greet(\"$body.b.c!\")":                                                    "hello text!",
		"#set($x = 5)$x":                                                              "5",
		"#set($x = $body.a + 2 * 3)$x":                                                "7",
		"#set($x = (1 + 2) * 3 - 4 / 2 % 2)$x":                                        "9",
		"#set($x = 'a' + 1 + 'b')$x":                                                  "a1b",
		"#set($x = {'k': [1, 'two']})$x.k[1] $x":                                      "two {k=[1, two]}",
		"#set($x = {})#set($x.y = 3)$x.y":                                             "3",
		"#set($l = [])#set($ignored = $l.add('z'))$l.size() $l":                       "1 [z]",
		"#if($body.a == 1)yes#elseif(true)no#{else}never#end":                         "yes",
		"#if($none)a#elseif($body.empty)b#else c#end":                                 " c",
		"#if(!$none && $body.a >= 1 or false)a#end":                                   "a",
		"#if(not $none and 'a' != 'b')a#end":                                          "a",
		"#foreach($i in $body.list)$foreach.index:$i.n#if($foreach.hasNext),#end#end": "0:x,1:y",
		"#foreach($i in [1..4])#if($i == 3)#break#end$i#end.":                         "12.",
		"#foreach($k in $body.keySet())$k #end":                                       "a b list empty ",
		"#foreach($e in $body.b.entrySet())$e.key #end":                               "c d ",
		"$body.b.c.toUpperCase().substring(1, 3)":                                     "EX",
		"$body.b.c.replaceAll('[tx]', '-')":                                           "-e--",
		"#set($s = 'a,b')#foreach($p in $s.split(','))<$p>#end":                       "<a><b>",
		"#set($x = \"it's $body.a \"\"q\"\"\")$x":                                     `it's 1 "q"`,
		"{\n#set($a = 1)\n  \"x\": $a\n}":                                             "{\n  \"x\": 1\n}",
		"#set($x = 7 / 0)$!x":                                                         "",
		"mail@example.com $body.a.":                                                   "mail@example.com 1.",
	} {
		tpl, err := Parse(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		got, err := tpl.Execute(values(t), limits)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", source, got, err, want)
		}
	}
}

func TestTemplatesThatAreNoneAreRefused(t *testing.T) {
	for _, source := range []string{
		"#if(true)", "#end", "#else", "#foreach($x in [1])", "#set(x = 1)", "#set($x 1)", "#set($x = )", "#macro(m)#end", "#parse('x')", "#evaluate('x')",
		"#include('x')", "${a", "$a.b(", "$a[", "#* open", "#set($x = 'open)", "#if(true)#else#else#end", "#if(true)#else#elseif(true)#end", "#foreach(1 in [1])#end",
		strings.Repeat("#if(true)", 200), "#set($x = " + strings.Repeat("(", 300), "#set($x = " + strings.Repeat("!", 300) + "true)", strings.Repeat("x", maxTemplate+1),
		"#set($x = 99999999999999999999)",
	} {
		if _, err := Parse(source); err == nil {
			t.Errorf("%.40s was taken", source)
		}
	}
}

func TestExecutionsAreBounded(t *testing.T) {
	for source, want := range map[string]error{
		"#foreach($a in [1..100000000])x#end":                                               ErrSteps,
		"#foreach($a in [1..90])#foreach($b in [1..90])#foreach($c in [1..90])#end#end#end": ErrSteps,
		"#set($x = 'xxxxxxxxxx')#foreach($i in [1..60])#set($x = $x + $x)#end":              ErrOutput,
		"#set($x = 'xxxxxxxxxx')#foreach($i in [1..60])#set($x = \"$x$x\")#end":             ErrOutput,
		"#foreach($i in [1..1000])aaaaaaaaaaaaaaaaaaaa#end":                                 ErrOutput,
		"#set($l = [1])#set($i = $l.add($l))$l":                                             errors.New("deep"),
		"#set($m = {'a': 1})#set($m.b = $m)$m":                                              errors.New("deep"),
	} {
		tpl, err := Parse(source)
		if err != nil {
			t.Fatal(source, err)
		}
		out, err := tpl.Execute(nil, limits)
		if err == nil || !errors.Is(err, want) && !strings.Contains(err.Error(), want.Error()) {
			t.Errorf("%s: %q, %v, want %v", source, out, err, want)
		}
	}
}

func TestJSONIsReadAndWritten(t *testing.T) {
	for source, want := range map[string]string{
		`{"b": 1, "a": [1.5, "x<", null, true]}`: `{"b":1,"a":[1.5,"x<",null,true]}`, `"text"`: `"text"`, `[]`: `[]`,
	} {
		v, err := ParseJSON(source)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := JSON(v); err != nil || got != want {
			t.Errorf("%s: %s, %v", source, got, err)
		}
	}
	for _, source := range []string{"", "{", "1 2", `{"a"}`, strings.Repeat("[", 1000)} {
		if v, err := ParseJSON(source); err == nil {
			t.Errorf("%.20s is %v", source, v)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"#set($x = [1, 'a', \"$b\"])#foreach($i in $x)$i.toString()#end", "#if($body.a == 1 && !$x)a#else$body.b#end", "${body['a']}", "#set($m={'a':1})#set($m.b=$m)$m",
		"$body.b.c.replaceAll('(', '$1')$body.b.c.substring(3, 1)", "#set($x = 1 - -9223372036854775808 / -1)$x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		tpl, err := Parse(source)
		if err != nil {
			return
		}
		if out, err := tpl.Execute(values(t), limits); err == nil && len(out) > limits.Output {
			t.Errorf("%d bytes were written", len(out))
		}
	})
}
