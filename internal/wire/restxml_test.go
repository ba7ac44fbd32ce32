package wire

import (
	"reflect"
	"strings"
	"testing"

	api "plumb/internal/model/cloudfrontapi"
)

func TestInputsAreReadFromXML(t *testing.T) {
	h := &Handler{}
	var in api.CreateDistributionInput
	v := reflect.ValueOf(&in).Elem().Field(0)
	err := h.bindXML(v, []byte(`<?xml version="1.0"?><DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
		<Comment>a &amp; <!-- not this -->b</Comment><Enabled>true</Enabled><Unknown><Deep/></Unknown>
		<Aliases><Quantity>2</Quantity><Items><CNAME>a</CNAME><Other/><CNAME></CNAME></Items></Aliases>
		<Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id></Origin></Items></Origins></DistributionConfig>`))
	c := in.DistributionConfig
	if err != nil || *c.Comment != "a & b" || !*c.Enabled || len(c.Aliases.Items) != 2 || c.Aliases.Items[0] != "a" || *c.Aliases.Quantity != 2 || *c.Origins.Items[0].Id != "o" {
		t.Errorf("%v: %+v", err, c)
	}
	for _, bad := range []string{"<a", "text", "<a></b>", "<a/><b/>", strings.Repeat("<a>", 100), "<a>" + strings.Repeat("<b/>", maxXMLElements) + "</a>",
		"<a><Enabled>maybe</Enabled></a>", "<a><Aliases><Quantity>99999999999</Quantity></Aliases></a>"} {
		if err := h.bindXML(v, []byte(bad)); err == nil || !strings.Contains(err.Error(), "not well-formed") {
			t.Errorf("%.40s: %v", bad, err)
		}
	}
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<DistributionConfig><Aliases><Items><CNAME>a</CNAME></Items></Aliases></DistributionConfig>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, in := &Handler{}, api.CreateDistributionInput{}
		v := reflect.ValueOf(&in).Elem().Field(0)
		if h.bindXML(v, body) == nil && in.DistributionConfig != nil {
			h.payloadXML("DistributionConfig", "n", v)
		}
	})
}
