package enrich_test

import (
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/detect/rules"
	"bartizan/enrich"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

const (
	trail = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:noor","arn":"arn:aws:sts::444455556666:assumed-role/deploy/noor","accountId":"444455556666","accessKeyId":"ASIAEXAMPLENOOR"},"eventTime":"2026-03-04T10:15:32Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.9","userAgent":"Boto3/1.34 md/Botocore#1.34","requestParameters":{"maxResults":50},"responseElements":null,"requestID":"5d0c3ba1","eventID":"0f7c1a52","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"444455556666","eventCategory":"Management"}`
	web   = `192.0.2.9 - - [04/Mar/2026:10:15:32 +0000] "GET /shop/cart HTTP/1.1" 200 4312 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"`
)

// BenchmarkLine is a line through parser and built-in rules, with nothing known
// beyond it and with tables and own addresses, and with a filter that asks for one.
func BenchmarkLine(b *testing.B) {
	node, err := query.Parse("source.own: false and source.class: documentation")
	if err != nil {
		b.Fatal(err)
	}
	filter, err := query.Compile(node)
	if err != nil {
		b.Fatal(err)
	}
	bare, err := enrich.New(enrich.Options{})
	if err != nil {
		b.Fatal(err)
	}
	set := detect.NewSet(rules.Load().Rules)
	for _, l := range []struct{ name, line string }{{"cloudtrail", trail}, {"web", web}} {
		for _, c := range []struct {
			name   string
			more   event.Enricher
			filter *query.Matcher
		}{{"nobody knows", nil, nil}, {"nothing configured", bare, nil}, {"own configured", enrich.ForTests(), nil}, {"asked for", enrich.ForTests(), filter}} {
			b.Run(l.name+"/"+c.name, func(b *testing.B) {
				reg := parse.NewRegistry(parse.Options{More: c.more, Zone: time.UTC})
				stream, matcher := reg.Stream(sources.Info{ID: "test"}), set.NewMatcher()
				var slab parse.Slab
				var e event.Event
				var found []*detect.Rule
				rec := sources.Record{Raw: []byte(l.line), Line: 1}
				b.ReportAllocs()
				for b.Loop() {
					slab.Reset()
					stream.Parse(&rec, &slab, &e)
					found = matcher.Match(&e, found[:0])
					if c.filter != nil {
						c.filter.Match(&e)
					}
				}
			})
		}
	}
}
