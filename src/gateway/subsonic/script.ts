/** JSON as part of a script: without two characters that JSON may hold and older scripts may not. */
export function scriptOf(json: string): string {
  return json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
