SELECT c.name AS city, SUM(f.orders) AS orders, SUM(f.gmv) AS gmv, SUM(f.refunds) AS refunds, SUM(f.new_users) AS new_users
FROM merchant_day f
JOIN merchant m ON f.merchant_id = m.merchant_id
JOIN area a ON m.area_id = a.area_id
JOIN city c ON a.city_id = c.city_id
WHERE f.dt BETWEEN '2024-05-11' AND '2024-06-09'
GROUP BY c.name
ORDER BY city
