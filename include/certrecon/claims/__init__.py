"""From certificates to claims: types, dates, persons and employees of every claim, each fact once."""
