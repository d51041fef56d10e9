// Selectors with what k8s.io/apimachinery says of them, for the tests of the mirror's rules.
//
//	cd test/controlplane && go run ./selectorvectors > ../fixtures/selector-vectors.json
//
// The output is committed: it changes only when the selector semantics of Kubernetes do.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

type vector struct {
	Selector metav1.LabelSelector `json:"selector"`
	// One character for each label set, "1" where it matches; empty when the selector is invalid.
	Matches string `json:"matches,omitempty"`
	Invalid bool   `json:"invalid,omitempty"`
}

var labelSets = []labels.Set{
	nil, {"a": "x"}, {"a": "y"}, {"a": ""}, {"b": "x"}, {"a": "x", "b": "y"}, {"a": "y", "b": "x"},
}

func expression(key, operator string, values ...string) metav1.LabelSelectorRequirement {
	return metav1.LabelSelectorRequirement{Key: key, Operator: metav1.LabelSelectorOperator(operator), Values: values}
}

func expressions() (all []metav1.LabelSelectorRequirement) {
	for _, key := range []string{"a", "b"} {
		all = append(all,
			expression(key, "In", "x"), expression(key, "In", "x", "y"), expression(key, "In", ""),
			expression(key, "NotIn", "x"), expression(key, "NotIn", "x", "y"),
			expression(key, "Exists"), expression(key, "DoesNotExist"))
	}
	return all
}

func selectors() (all []metav1.LabelSelector) {
	for _, match := range []map[string]string{nil, {"a": "x"}, {"a": "x", "b": "y"}} {
		all = append(all, metav1.LabelSelector{MatchLabels: match})
		for _, one := range expressions() {
			all = append(all, metav1.LabelSelector{
				MatchLabels: match, MatchExpressions: []metav1.LabelSelectorRequirement{one}})
		}
	}
	for i, one := range expressions() {
		for _, other := range expressions()[i:] {
			all = append(all, metav1.LabelSelector{
				MatchExpressions: []metav1.LabelSelectorRequirement{one, other}})
		}
	}
	return append(all, doubtful()...)
}

// Selectors at the edge of what is valid.
func doubtful() (all []metav1.LabelSelector) {
	long := "0123456789012345678901234567890123456789012345678901234567890123"
	for _, one := range []metav1.LabelSelectorRequirement{
		expression("a", "In"), expression("a", "NotIn"), expression("a", "Exists", "x"), expression("a", "DoesNotExist", "x"),
		expression("a", "in", "x"), expression("a", "Equals", "x"), expression("a", ""), expression("", "Exists"),
		expression("-a", "Exists"), expression("a/b/c", "Exists"), expression("/a", "Exists"), expression("A.example.com/a", "Exists"),
		expression("example.com/a", "Exists"), expression("test.io/a_b.c", "Exists"), expression("a", "In", "-x"),
		expression("a", "In", "x/y"), expression("a", "In", "X_y.z-1"), expression("a", "In", long[:63]),
		expression("a", "In", long), expression(long[:63], "Exists"), expression(long, "Exists"),
	} {
		all = append(all, metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{one}})
	}
	return append(all,
		metav1.LabelSelector{MatchLabels: map[string]string{"a": "x y"}},
		metav1.LabelSelector{MatchLabels: map[string]string{"a b": "x"}},
		metav1.LabelSelector{MatchLabels: map[string]string{"a": ""}})
}

func judged(selector metav1.LabelSelector) vector {
	compiled, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil {
		return vector{Selector: selector, Invalid: true}
	}
	matches := ""
	for _, set := range labelSets {
		if compiled.Matches(set) {
			matches += "1"
		} else {
			matches += "0"
		}
	}
	return vector{Selector: selector, Matches: matches}
}

func line(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return string(text)
}

func main() {
	fmt.Printf("{\n\"source\": \"k8s.io/apimachinery, by test/controlplane/selectorvectors\",\n\"labels\": %s,\n\"vectors\": [\n", line(labelSets))
	all := selectors()
	for i, selector := range all {
		comma := ","
		if i == len(all)-1 {
			comma = ""
		}
		fmt.Println(line(judged(selector)) + comma)
	}
	fmt.Println("]\n}")
}
