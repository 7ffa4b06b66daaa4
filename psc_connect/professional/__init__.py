"""What Pro Santé Connect says of a person: identifiers, practices, activities, codes and their labels.

No Django here, nothing else of this package: plain values in, frozen dataclasses out.
"""
