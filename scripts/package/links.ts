const relative = /^(?!#|[a-z][a-z0-9+.-]*:)/i;

/**
 * A document as the package shows it, where nothing that it links to is beside it: relative links and pictures lead to
 * the repository. Without one, pictures are left out and links become plain text.
 */
export function packagedMarkdown(text: string, repository: string | undefined): string {
  const linked =
    repository === undefined
      ? withoutTargets(text)
      : text
          .replace(/(!?)(\[[^\]]*\])\(([^)\s]+)/g, (whole, picture: string, label: string, target: string) =>
            relative.test(target)
              ? `${picture}${label}(${absolute(repository, target, picture !== '')}`
              : whole,
          )
          .replace(/\b(src|srcset|href)="([^"]+)"/g, (whole, name: string, target: string) =>
            relative.test(target) ? `${name}="${absolute(repository, target, name !== 'href')}"` : whole,
          );
  return linked.replace(/\n{3,}/g, '\n\n');
}

/** Addresses as GitHub and most other hosts have them. */
function absolute(repository: string, target: string, isPicture: boolean): string {
  return `${repository}/${isPicture ? 'raw' : 'blob'}/HEAD/${target.replace(/^\.\//, '')}`;
}

function withoutTargets(text: string): string {
  return (
    text
      .replace(/<picture>.*?<\/picture>/gs, '')
      .replace(/<img\b[^>]*\bsrc="([^"]+)"[^>]*>/g, (whole, target: string) =>
        relative.test(target) ? '' : whole,
      )
      // With the paragraph that leads to it.
      .replace(/(?:^.*:\n\n)?!\[[^\]]*\]\(([^)\s]+)[^)]*\)/gm, (whole, target: string) =>
        relative.test(target) ? '' : whole,
      )
      .replace(/\[([^\]]*)\]\(([^)\s]+)[^)]*\)/g, (whole, label: string, target: string) =>
        relative.test(target) ? label : whole,
      )
      .replace(/<a\b[^>]*\bhref="([^"]+)"[^>]*>(.*?)<\/a>/gs, (whole, target: string, label: string) =>
        relative.test(target) ? label : whole,
      )
  );
}
