// SPDX-License-Identifier: MIT
//
// What lines of JSON on the console share.
#pragma once

// Print `text` as a string of JSON. Any context.
void print_json_string(const char *text);
