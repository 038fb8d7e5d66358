package rules

import (
	"fmt"
	"strings"
	"time"
)

// console is one engineer's day of work by hand in the cloud, the cluster and
// GitHub: the kind of work that the rules of level low ask about once.
func (d *day) console() {
	d.each(9, 17, 90*time.Minute, func(t moment) {
		for i, c := range [...]string{
			`"ssm","StartSession",{"target":"i-0a1b2c3d4e5f60718"}`,
			`"ec2","AuthorizeSecurityGroupIngress",{"groupId":"sg-2","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":5432,"ipRanges":{"items":[{"cidrIp":"10.20.0.0/16"}]}}]}}`,
			`"ec2","AuthorizeSecurityGroupIngress",{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`,
			`"ec2","RunInstances",{"instanceType":"t3.large"}`,
			`"ec2","DescribeInstanceAttribute",{"attribute":"disableApiTermination","instanceId":"i-0a1b2c3d4e5f60718"}`,
			`"lambda","UpdateFunctionConfiguration20150331v2",{"functionName":"resize","memorySize":1024}`,
			`"secretsmanager","GetSecretValue",{"secretId":"staging/db"}`,
			`"iam","CreateServiceLinkedRole",{"aWSServiceName":"rds.amazonaws.com"}`,
			`"rds","ModifyDBInstance",{"dBInstanceIdentifier":"staging","allocatedStorage":200}`,
			`"s3","PutBucketLifecycle",{"bucketName":"acme-tmp","LifecycleConfiguration":{"Rule":{"Status":"Enabled","Expiration":{"Days":30}}}}`,
			`"sts","GetSessionToken",{"serialNumber":"arn:aws:iam::444455556666:mfa/freja"}`,
		} {
			at := t.Add(time.Duration(i) * time.Minute)
			part := strings.SplitN(c, ",", 3)
			d.add("cloudtrail.ndjson", `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::444455556666:assumed-role/Engineer/freja","sessionContext":{"sessionIssuer":{"userName":"Engineer"}}},"eventTime":"%s","eventSource":%s.amazonaws.com","eventName":%s,"awsRegion":"eu-west-1","sourceIPAddress":"%s","userAgent":"Mozilla/5.0","requestParameters":%s,"eventType":"AwsApiCall"}`,
				at.Format(time.RFC3339), strings.TrimSuffix(part[0], `"`), part[1], d.office(), part[2])
		}
	})
	d.each(9, 17, 2*time.Hour, func(t moment) {
		for i, c := range [...]string{
			`"patch","user":{"username":"freja"},"objectRef":{"resource":"deployments","namespace":"shop","name":"cart"}`,
			`"create","user":{"username":"freja"},"objectRef":{"resource":"pods","subresource":"portforward","namespace":"shop","name":"cart-1"}`,
			`"delete","user":{"username":"freja"},"objectRef":{"resource":"pods","namespace":"shop","name":"cart-1"}`,
			`"patch","user":{"username":"freja"},"objectRef":{"resource":"configmaps","namespace":"shop","name":"cart"}`,
			`"get","user":{"username":"freja"},"objectRef":{"resource":"secrets","namespace":"shop","name":"cart"}`,
		} {
			d.add("k8s.ndjson", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"9f0a7a2e","stage":"ResponseComplete","requestURI":"/api/v1/x","verb":%s,"sourceIPs":["%s"],"responseStatus":{"code":200},"requestReceivedTimestamp":"%s"}`,
				c, d.inside(), t.Add(time.Duration(i)*time.Minute).Format(time.RFC3339))
		}
	})
	d.each(8, 18, 10*time.Minute, func(t moment) {
		action := one(d, "git.clone", "git.fetch", "git.push", "pull_request.merge", "workflows.completed_workflow_run", "repo.create", "issue_comment.update", "org.invite_member", "hook.create")
		if action == "hook.create" && d.IntN(10) > 0 {
			action = "git.push"
		}
		d.add("github.ndjson", `{"@timestamp":%d,"action":"%s","actor":"%s","actor_ip":"%s","org":"acme-web","repo":"acme-web/%s","visibility":"private"}`,
			t.UnixMilli(), action, one(d, people...), d.office(), fmt.Sprint("app-", d.IntN(9)))
	})
}
