"""Weekly results for marketing and content, which every release carries with their date."""
