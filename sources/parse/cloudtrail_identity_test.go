package parse

import (
	"testing"

	"bartizan/sources"
)

// TestCloudTrailIdentities holds what is made of every type of userIdentity ("CloudTrail
// userIdentity element" in its guide). The account is the one the record was delivered
// to, also where the caller is of another.
func TestCloudTrailIdentities(t *testing.T) {
	const head = `{"eventVersion":"1.11","eventTime":"2026-11-03T09:14:02Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","recipientAccountId":"111122223333","sourceIPAddress":"203.0.113.9","userIdentity":{"type":"`
	const issuer = `"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA1","arn":"arn:aws:iam::444455556666:role/web","accountId":"444455556666","userName":"web"}}`
	const ours = " | cloud.account.id=111122223333 | source.ip=203.0.113.9"
	var cases []formatCase
	for _, c := range [][2]string{
		{`Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"AKIA1"}}`, "user.name=root | user.id=111122223333 | cloud.access_key=AKIA1"},
		{`Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","userName":"acme-main"}}`, "user.name=acme-main"}, // the account has an alias
		{`IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/team/amira","accountId":"111122223333","userName":"amira"}}`, "user.name=amira | user.id=AIDA1"},
		{`IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/team/amira","accountId":"111122223333"}}`, "user.name=amira"},
		{`AssumedRole","principalId":"AROA1:bo@acme.example","arn":"arn:aws:sts::444455556666:assumed-role/web/bo@acme.example","accountId":"444455556666","accessKeyId":"ASIA1",` + issuer + `}}`, "user.name=web | user.roles=web | user.id=AROA1:bo@acme.example | session.id=AROA1:bo@acme.example | cloud.access_key=ASIA1 | userIdentity.accountId=444455556666"},
		{`AssumedRole","principalId":"AROA1:bo","arn":"arn:aws:sts::444455556666:assumed-role/web/bo","accountId":"444455556666"}}`, "user.name=web | user.roles=web | session.id=AROA1:bo"},
		{`FederatedUser","principalId":"111122223333:bo","arn":"arn:aws:sts::111122223333:federated-user/bo","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"IAMUser","principalId":"AIDA1","userName":"amira"}}}}`, "user.name=amira | user.id=111122223333:bo | session.id=111122223333:bo | !user.roles"},
		{`FederatedUser","principalId":"111122223333:bo","arn":"arn:aws:sts::111122223333:federated-user/bo"}}`, "user.name=bo"},
		{`SAMLUser","principalId":"x1:bo@acme.example","userName":"bo@acme.example","identityProvider":"x1"}}`, "user.name=bo@acme.example | user.id=x1:bo@acme.example"},
		{`WebIdentityUser","principalId":"accounts.google.com:app:7711","userName":"7711","identityProvider":"accounts.google.com"}}`, "user.name=7711 | user.id=accounts.google.com:app:7711"},
		{`AWSAccount","principalId":"AROA9:deploy","accountId":"777788889999"}}`, "user.id=AROA9:deploy | userIdentity.accountId=777788889999 | !user.name"},
		{`AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}}`, "!user.name | !user.id"},
		{`AWSService","invokedBy":"config.amazonaws.com"}}`, "user.name=config.amazonaws.com"},
		{`IdentityCenterUser","accountId":"111122223333","onBehalfOf":{"userId":"e0a1-77","identityStoreArn":"arn:aws:identitystore::111122223333:identitystore/d-1"},"credentialId":"c1"}}`, "user.id=e0a1-77 | !user.name"},
		{`Directory","userName":"bo"}}`, "user.name=bo"},
		{`Unknown","principalId":"","accountId":""}}`, "!user.name | !user.id"},
	} {
		cases = append(cases, formatCase{head + c[0], "cloudtrail", "info", at, c[1] + ours})
	}
	runCases(t, sources.Info{}, cases)

	const bare = `{"eventVersion":"1.11","eventTime":"2026-11-03T09:14:02Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","userIdentity":{"type":"AWSAccount","principalId":"AIDA7","accountId":"777788889999"}}`
	runCases(t, sources.Info{}, []formatCase{{bare, "cloudtrail", "info", at, "cloud.account.id=777788889999"}})
}
