/** What the page needs to know of the webview it is in; all three come from VS Code. */
export interface PageSources {
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
}

/** The page of the slot map. It may load its one script and its one style sheet and reach nothing else. */
export function slotMapHtml({ cspSource, script, style }: PageSources, nonce: string): string {
  const policy = `default-src 'none'; style-src ${cspSource} 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <!-- The toolkit's probe for :focus-visible is an empty inline style, which carries this nonce. -->
    <meta property="csp-nonce" content="${nonce}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="stylesheet" href="${style}" />
    <title>Slot map</title>
  </head>
  <body>
    <script nonce="${nonce}" src="${script}"></script>
  </body>
</html>
`;
}
