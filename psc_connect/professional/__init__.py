"""The professional data of Pro Santé Connect: identifiers, practices, activities, codes and their labels.

Imports no Django and nothing else of psc_connect. Functions take plain values and return frozen dataclasses.

* `userinfo` parses the claims into a `professional.Professional`;
* `identifiers`, `coded_values`: national identifiers, and codes with their labels from `nomenclatures`;
* `conditions`: conditions of access rules and views; `computed`: values that a mapping can use like claims;
* `snapshot`: a professional as JSON, and the changes between two logins.
"""
